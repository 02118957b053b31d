// SPDX-License-Identifier: Apache-2.0
// Drives a dht::Node: its sockets, its timer, its bootstrap names. The one drain loop of the host.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/result.h"
#include "core/dht/node.h"
#include "core/engine/entropy.h"

#include "host/loop/name_lookup.h"
#include "host/loop/udp_socket.h"

namespace dotkey::host::loop {

struct NodeDriverSettings {
  dht::Settings node;  // its `ipv4` and `ipv6` are set from the addresses below
  // Where to listen; absent: not on this family. Port 0 lets the system choose.
  std::optional<base::Endpoint> local_v4;
  std::optional<base::Endpoint> local_v6;
  // "host:port" texts, resolved whenever the node knows too few others.
  std::vector<std::string> bootstrap;
  base::Bytes saved_state;
};

// What one operation reports, on the loop. `on_finished` comes exactly once and last.
struct OperationWatcher {
  std::function<void(dht::MutableItem const&)> on_item;
  std::function<void(dht::Tally const&, std::uint32_t stored)> on_progress;
  std::function<void(dht::Outcome)> on_finished;
};

class NodeDriver {
 public:
  // `loop` and `entropy` outlive the driver. Errors: network_socket_failed when no family has a
  // socket.
  static base::Result<std::unique_ptr<NodeDriver>> open(boost::asio::io_context& loop,
                                                        engine::Entropy& entropy,
                                                        NodeDriverSettings settings);
  ~NodeDriver();
  NodeDriver(NodeDriver const&) = delete;
  NodeDriver& operator=(NodeDriver const&) = delete;

  // Runs a command that starts an operation, such as get_mutable. Errors: those of the command; the
  // watcher is then not called.
  using Command = std::function<base::Result<dht::OperationId>(dht::Node&, engine::Instant)>;
  base::Result<dht::OperationId> start(Command const& command, OperationWatcher watcher);
  void cancel(dht::OperationId id);
  void add_bootstrap_nodes(std::vector<base::Endpoint> const& nodes);

  [[nodiscard]] dht::Node const& node() const { return node_; }
  [[nodiscard]] std::uint16_t port_v4() const { return socket_v4_ ? socket_v4_->port() : 0; }
  [[nodiscard]] std::uint16_t port_v6() const { return socket_v6_ ? socket_v6_->port() : 0; }

  // How the latest lookup of the bootstrap names went: absent before the first ended, then the
  // error when none resolved.
  struct BootstrapLookup {
    std::optional<base::Error> error;
  };
  [[nodiscard]] std::optional<BootstrapLookup> const& bootstrap_lookup() const {
    return bootstrap_lookup_;
  }

 private:
  NodeDriver(boost::asio::io_context& loop, engine::Entropy& entropy, NodeDriverSettings settings,
             std::unique_ptr<UdpSocket> socket_v4, std::unique_ptr<UdpSocket> socket_v6);

  void drain();
  void arm_timer();
  void send(dht::SendDatagram const& datagram);
  void report(dht::Finished& finished);
  void look_up_bootstrap();
  void on_bootstrap_addresses(NameLookup::Outcomes const& outcomes);

  std::unique_ptr<UdpSocket> socket_v4_;
  std::unique_ptr<UdpSocket> socket_v6_;
  dht::Node node_;
  bool draining_ = false;

  boost::asio::steady_timer timer_;
  std::optional<engine::Instant> armed_for_;

  struct HashOperationId {
    std::size_t operator()(dht::OperationId id) const { return static_cast<std::size_t>(id); }
  };
  std::unordered_map<dht::OperationId, OperationWatcher, HashOperationId> watchers_;

  std::vector<std::string> bootstrap_;
  NameLookup name_lookup_;
  boost::asio::steady_timer bootstrap_timer_;
  bool bootstrap_waiting_ = false;  // the back-off timer runs
  engine::Duration bootstrap_back_off_;
  engine::Instant bootstrap_not_before_;
  std::optional<BootstrapLookup> bootstrap_lookup_;
};

}  // namespace dotkey::host::loop
