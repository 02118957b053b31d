// SPDX-License-Identifier: Apache-2.0
// One thread of the DNS server: sockets, a bridge and its answer cache, all its own. Only the
// lookup of keys is shared, on the main loop.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "core/bridge/bridge.h"

#include "host/dns/poller.h"
#include "host/dns/udp_port.h"
#include "host/loop/system_entropy.h"

namespace dotkey::host::dns {

// How packets are found: on the main loop. `on_outcome` runs once, there too, perhaps at once.
using OnOutcome = std::function<void(resolve::Outcome const&)>;
using FindKey = std::function<void(crypto::PublicKey const&, OnOutcome)>;

class Shard final : UdpPort::Service {
 public:
  // `main_loop` and what `find_key` uses outlive the shard.
  Shard(bridge::BridgeSettings const& settings, boost::asio::io_context& main_loop,
        FindKey find_key);
  ~Shard();
  Shard(Shard const&) = delete;
  Shard& operator=(Shard const&) = delete;

  // Before start(). Returns where it listens. Errors: network_socket_failed.
  base::Result<void> open();
  base::Result<base::Endpoint> listen_udp(base::Endpoint const& local);
  void start();
  void stop();  // returns when the thread has ended

 private:
  struct UdpClient {
    UdpPort* port;
    UdpPeer peer;
  };

  void run();
  void on_batch_begins() override;
  std::size_t on_datagram(UdpPort& port, UdpPeer const& peer, std::span<std::uint8_t> buffer,
                          std::size_t size) override;
  void on_batch_ends() override;
  void drain();
  void ask_keys(bridge::ResolveKey const& wanted);
  void reply(bridge::Reply const& reply);
  [[nodiscard]] bool is_trusted(base::IpAddress const& address) const;

  boost::asio::io_context& main_loop_;
  FindKey find_key_;
  loop::SystemEntropy entropy_;
  bridge::Bridge bridge_;
  Poller poller_;
  std::vector<std::unique_ptr<UdpPort>> udp_ports_;
  std::unordered_map<std::uint64_t, UdpClient> udp_clients_;
  std::uint64_t last_client_ = 0;
  engine::Moment now_;
  std::atomic<bool> stopping_ = false;
  // What the main loop still holds of this shard finds it gone by this.
  std::shared_ptr<Shard*> self_ = std::make_shared<Shard*>(this);
  std::thread thread_;
};

}  // namespace dotkey::host::dns
