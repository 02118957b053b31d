// SPDX-License-Identifier: Apache-2.0
// One client's connection: a stream, a framing, and limits on what may wait in either direction.
#pragma once

#include <memory>

#include "core/bridge/admission.h"

#include "host/dns/framing.h"
#include "host/dns/poller.h"
#include "host/dns/stream.h"

namespace dotkey::host::dns {

struct ConnectionLimits {
  // Without a whole query or reply for so long, the connection ends (RFC 7766 §6.2.3); the second
  // one where most places are taken.
  engine::Duration idle_timeout = engine::Duration::from_s(30);
  engine::Duration idle_timeout_crowded = engine::Duration::from_s(5);
  // Until the first query.
  engine::Duration start_timeout = engine::Duration::from_s(10);
  std::uint32_t queries_max = 256;  // under way
  std::size_t output_max = 256 * 1024;
};

class Connection final : public Poller::Watcher, Framing::Queries {
 public:
  // What the shard does for its connections.
  class Service {
   public:
    // As Bridge::on_query; the reply that comes later is given by reply().
    virtual std::optional<std::size_t> on_stream_query(Connection& connection, QueryToken token,
                                                       std::span<std::uint8_t> buffer,
                                                       std::size_t size) = 0;
    // Room for the longest message, shared by all connections of a shard.
    virtual std::span<std::uint8_t> message_buffer() = 0;
    virtual std::span<std::uint8_t> read_buffer() = 0;
    virtual engine::Instant now() = 0;
    virtual bool is_crowded() = 0;
    // It takes the connection away, later.
    virtual void on_closed(Connection& connection) = 0;

   protected:
    ~Service() = default;
  };

  // `sender` as the bridge sees it. `limits` outlive the connection.
  Connection(std::uint64_t number, Stream stream, bridge::Sender const& sender,
             ConnectionLimits const& limits, Poller& poller, Service& service);
  ~Connection();
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  bool start();  // false when the system has no room
  void on_ready(std::uint32_t events) override;
  // What was waited for. flush() sends it.
  void reply(QueryToken token, base::ByteView message);
  void flush();
  // Ends the connection when its time is up.
  void on_tick(engine::Instant now);
  void close();

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] bridge::Sender const& sender() const { return sender_; }
  [[nodiscard]] bool is_open() const { return stream_.fd() >= 0; }

 private:
  void on_query(QueryToken token, base::ByteView query) override;
  [[nodiscard]] bool wants_input() const override;
  void read();
  bool choose_framing();
  void go_on();
  void send();
  void watch();
  void stay();

  std::uint64_t number_;
  Stream stream_;
  bridge::Sender sender_;
  ConnectionLimits const& limits_;
  Poller& poller_;
  Service& service_;
  std::unique_ptr<Framing> framing_;
  base::Bytes out_;
  std::size_t sent_ = 0;  // of out_
  std::uint32_t queries_ = 0;
  std::uint32_t events_ = 0;
  bool ended_ = false;  // nothing more comes in, or is wanted
  engine::Instant deadline_;
};

}  // namespace dotkey::host::dns
