// SPDX-License-Identifier: Apache-2.0
// The local proxy: loopback ports that open `.key` sites for browsers, and only after the gate's
// word about the very server that answers.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/endpoint.h"
#include "core/base/result.h"

#include "host/proxy/peer_user.h"
#include "host/proxy/tunnel.h"
#include "host/trust/leaf_mint.h"

namespace dotkey::host::proxy {

struct PortSettings {
  base::Endpoint listen;  // a loopback address; port 0 lets the system choose
  // Only sockets of this user are served; absent: of the user that runs the proxy.
  std::optional<uid_t> user{};
  std::string token{};  // expected as the password of Proxy-Authorization: Basic; empty: none
  std::size_t connections_max = 2048;
  std::chrono::seconds idle_timeout{3600};  // a WebSocket may be silent for long
};

struct PortCounters {
  std::uint64_t accepted = 0;
  std::uint64_t strangers = 0;    // another user's, or without the token
  std::uint64_t turned_away = 0;  // connections_max
  std::uint64_t refused = 0;
  std::uint64_t established = 0;
};

// What all ports share. Single-threaded, on `loop`, which outlives it.
class Proxy {
 public:
  Proxy(boost::asio::io_context& loop, trust::LeafMint& mint);
  ~Proxy();
  Proxy(Proxy const&) = delete;
  Proxy& operator=(Proxy const&) = delete;

  // One for each browser session. The port serves until it is destroyed, which closes what runs
  // through it; it must go before the proxy and `gate` do. Errors: network_socket_failed.
  base::Result<std::unique_ptr<Port>> open_port(PortSettings settings, Gate& gate);

  boost::asio::io_context& loop;
  trust::LeafMint& mint;
  EventSet events;
  Scratch scratch;
  PeerUser peer_user;
  SslContextPtr server_context;  // towards browsers
  SslContextPtr client_context;  // towards sites
};

class Port final : private EventSet::Watcher {
 public:
  ~Port();
  Port(Port const&) = delete;
  Port& operator=(Port const&) = delete;

  [[nodiscard]] base::Endpoint endpoint() const { return endpoint_; }
  [[nodiscard]] PortCounters const& counters() const { return counters_; }
  [[nodiscard]] std::size_t open_count() const { return tunnels_.size(); }

  // The packet of this site changed: ask the gate again from now on.
  void forget(Site const& site) { upstreams_.forget(site); }
  // And what was allowed by the old one would not be by this: connections under way end.
  void cut_off(Site const& site);
  // The user took back what was allowed to a key: no connection made by that lives on.
  void cut_off(crypto::PublicKey const& key);
  // See Tunnel::end_plain().
  void end_plain(crypto::PublicKey const& key);

 private:
  friend class Proxy;
  friend class Tunnel;

  Port(Proxy& proxy, PortSettings settings, Gate& gate, int fd, base::Endpoint const& endpoint);

  void on_ready(std::uint32_t events) override;
  void on_accepted(int fd);
  void arm_tick();
  void retire_later();

  Proxy& proxy_;
  PortSettings settings_;
  Gate& gate_;
  Upstreams upstreams_;
  int listener_;
  base::Endpoint endpoint_;
  PortCounters counters_;
  std::list<std::unique_ptr<Tunnel>> tunnels_;
  bool retiring_ = false;
  boost::asio::steady_timer tick_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace dotkey::host::proxy
