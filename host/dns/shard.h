// SPDX-License-Identifier: Apache-2.0
// One thread of the DNS server: sockets, a bridge and its answer cache, all its own. Only the
// lookup of keys is shared, on the main loop.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "core/bridge/bridge.h"

#include "host/dns/connection.h"
#include "host/dns/connection_places.h"
#include "host/dns/forwarder.h"
#include "host/dns/poller.h"
#include "host/dns/query_log.h"
#include "host/dns/stream_port.h"
#include "host/dns/udp_port.h"
#include "host/loop/system_entropy.h"

namespace dotkey::host::dns {

// How packets are found: on the main loop. `on_outcome` runs once, there too, perhaps at once.
using OnOutcome = std::function<void(resolve::Outcome const&)>;
using FindKey = std::function<void(crypto::PublicKey const&, OnOutcome)>;

// What the shards of a server have in common. All of it outlives them.
struct ShardParts {
  boost::asio::io_context& main_loop;
  FindKey find_key;
  bridge::BridgeSettings const& bridge;
  ConnectionLimits const& limits;
  ConnectionPlaces& places;
  ForwarderSettings const& forwarder;
  std::shared_ptr<TlsServer> dot;
  std::shared_ptr<TlsServer> doh;
  std::shared_ptr<TlsClient const> upstream_tls;
  std::shared_ptr<QueryLog> log;
};

// What a shard has done, as of the last second.
struct ShardFigures {
  bridge::Counters bridge;
  ForwarderCounters forwarder;
  std::uint64_t queries[4] = {0, 0, 0, 0};  // by transport
  std::uint64_t answers = 0;                // in the cache
  std::uint64_t answer_bytes = 0;
  std::uint64_t questions = 0;  // under way
  std::uint64_t unsent = 0;     // replies that the system did not take
};

class Shard final : UdpPort::Service, StreamPort::Service, Connection::Service, Forwarder::Service {
 public:
  // What `parts` refers to outlives the shard.
  explicit Shard(ShardParts parts);
  ~Shard();
  Shard(Shard const&) = delete;
  Shard& operator=(Shard const&) = delete;

  // Before start(). The others return where it listens. Errors: network_socket_failed.
  base::Result<void> open();
  base::Result<base::Endpoint> listen_udp_and_tcp(base::Endpoint const& local);
  base::Result<base::Endpoint> listen_stream(base::Endpoint const& local,
                                             bridge::Transport transport);
  void start();
  void stop();  // returns when the thread has ended

  // On any thread.
  [[nodiscard]] ShardFigures figures() const;

 private:
  struct UdpClient {
    UdpPort* port;
    UdpPeer peer;
  };
  struct StreamClient {
    std::uint64_t connection;
    QueryToken token;
  };
  using Client = std::variant<UdpClient, StreamClient>;

  void run();
  std::size_t on_datagram(UdpPort& port, UdpPeer const& peer, std::span<std::uint8_t> buffer,
                          std::size_t size) override;

  void on_accepted(StreamPort& port, int fd, base::IpAddress const& client) override;
  std::optional<std::size_t> on_stream_query(Connection& connection, QueryToken token,
                                             std::span<std::uint8_t> buffer,
                                             std::size_t size) override;
  std::span<std::uint8_t> message_buffer() override { return message_buffer_; }
  std::span<std::uint8_t> read_buffer() override { return read_buffer_; }
  engine::Instant now() override { return now_.instant; }
  bool is_crowded() override { return parts_.places.is_crowded(); }
  void on_closed(Connection& connection) override;

  void on_upstream_message(bridge::TaskId task,
                           base::Result<wire::dns::Message> const& message) override;

  [[nodiscard]] std::optional<engine::Instant> next_deadline() const;
  void set_now();
  void finish_round();
  bool do_slow_work();
  void drain();
  void carry_out(bridge::Effect const& effect);
  void ask_keys(bridge::ResolveKey const& wanted);
  void reply(bridge::Reply const& reply);
  void tick_connections();
  void remove_closed();
  void update_figures();

  ShardParts parts_;
  loop::SystemEntropy entropy_;
  bridge::Bridge bridge_;
  Poller poller_;
  Forwarder forwarder_;
  std::vector<std::unique_ptr<UdpPort>> udp_ports_;
  std::vector<std::unique_ptr<StreamPort>> stream_ports_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::uint64_t> closed_;  // connections that go before the next wait
  std::vector<Connection*> replied_;   // those with something to send
  std::unordered_map<std::uint64_t, Client> clients_;
  // What the bridge wants to know and nobody has been asked for yet; the bridge bounds it.
  std::deque<bridge::Effect> asks_;
  base::Bytes message_buffer_;
  base::Bytes read_buffer_;
  std::uint64_t last_client_ = 0;
  std::uint64_t last_connection_ = 0;
  engine::Moment now_;
  engine::Instant next_tick_;
  std::uint64_t queries_[4] = {0, 0, 0, 0};
  mutable std::mutex figures_mutex_;
  ShardFigures figures_;
  std::atomic<bool> stopping_ = false;
  // What the main loop still holds of this shard finds it gone by this.
  std::shared_ptr<Shard*> self_ = std::make_shared<Shard*>(this);
  std::thread thread_;
};

}  // namespace dotkey::host::dns
