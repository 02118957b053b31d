// SPDX-License-Identifier: Apache-2.0
// One connection to one server, kept for many queries: TCP, TLS or HTTPS.
#pragma once

#include <memory>
#include <unordered_map>

#include "host/dns/poller.h"
#include "host/dns/stream.h"
#include "host/dns/tls_client.h"
#include "host/dns/upstream.h"

namespace dotkey::host::dns {

// How queries stand in the stream, on our side of it.
class ClientFraming {
 public:
  class Replies {
   public:
    virtual void on_reply(std::uint64_t token, base::ByteView message) = 0;

   protected:
    ~Replies() = default;
  };

  virtual ~ClientFraming() = default;
  // The query's own id, or one of the framing's. Nullopt when no more fit on this connection.
  virtual std::optional<std::uint64_t> submit(base::ByteView query, base::Bytes& out) = 0;
  // False: the connection is of no more use.
  virtual bool on_input(base::ByteView input, Replies& replies) = 0;
  virtual void collect(base::Bytes& out) { static_cast<void>(out); }
};

std::unique_ptr<ClientFraming> make_length_client();
std::unique_ptr<ClientFraming> make_http2_client(Upstream const& server);

class UpstreamStream final : public Poller::Watcher, ClientFraming::Replies {
 public:
  class Service {
   public:
    virtual void on_stream_message(UpstreamStream& stream, std::uint64_t lookup,
                                   base::ByteView message) = 0;
    // What `stream` had waiting is to be asked elsewhere.
    virtual void on_stream_closed(UpstreamStream& stream) = 0;

   protected:
    ~Service() = default;
  };

  static constexpr std::size_t waiting_max = 4096;

  // Connects in the background; queries may be submitted at once. nullptr when the system has no
  // room or no route.
  static std::unique_ptr<UpstreamStream> open(Upstream const& server, TlsClient const* tls,
                                              Poller& poller, Service& service);
  ~UpstreamStream();
  UpstreamStream(UpstreamStream const&) = delete;
  UpstreamStream& operator=(UpstreamStream const&) = delete;

  void on_ready(std::uint32_t events) override;
  // The query's token; nullopt when it takes no more. flush() sends.
  std::optional<std::uint64_t> submit(std::uint64_t lookup, base::ByteView query,
                                      engine::Instant now);
  void flush();
  void close();

  [[nodiscard]] Upstream const& server() const { return server_; }
  [[nodiscard]] bool is_open() const { return stream_.fd() >= 0; }
  [[nodiscard]] engine::Instant used_at() const { return used_at_; }
  [[nodiscard]] std::unordered_map<std::uint64_t, std::uint64_t> const& waiting() const {
    return waiting_;
  }
  // The lookup's reply is no longer waited for.
  void forget(std::uint64_t token, std::uint64_t lookup);

 private:
  UpstreamStream(Stream stream, Upstream const& server, Poller& poller, Service& service);
  void on_reply(std::uint64_t token, base::ByteView message) override;
  bool read();

  Stream stream_;
  Upstream server_;
  Poller& poller_;
  Service& service_;
  std::unique_ptr<ClientFraming> framing_;
  std::unordered_map<std::uint64_t, std::uint64_t> waiting_;  // lookups by token
  base::Bytes out_;
  std::size_t sent_ = 0;
  std::uint32_t events_ = 0;
  engine::Instant used_at_;
};

}  // namespace dotkey::host::dns
