// SPDX-License-Identifier: Apache-2.0
#include "host/loop/node_driver.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "host/loop/clock.h"

namespace dotkey::host::loop {
namespace {

using engine::Duration;
using engine::Instant;

constexpr Duration bootstrap_back_off_min = Duration::from_s(1);
constexpr Duration bootstrap_back_off_max = Duration::from_s(300);

dht::Settings with_families(dht::Settings settings, bool ipv4, bool ipv6) {
  settings.ipv4 = ipv4;
  settings.ipv6 = ipv6;
  return settings;
}

}  // namespace

base::Result<std::unique_ptr<NodeDriver>> NodeDriver::open(boost::asio::io_context& loop,
                                                           engine::Entropy& entropy,
                                                           NodeDriverSettings settings) {
  std::unique_ptr<UdpSocket> sockets[2];
  std::optional<base::Error> error;
  std::optional<base::Endpoint> const* const locals[] = {&settings.local_v4, &settings.local_v6};
  for (std::size_t i = 0; i < 2; ++i) {
    if (!*locals[i]) continue;
    auto socket = UdpSocket::open(loop, **locals[i]);
    if (socket) {
      sockets[i] = std::move(*socket);
    } else {
      error = socket.error();
    }
  }
  if (!sockets[0] && !sockets[1]) {
    return tl::make_unexpected(
        error.value_or(base::Error(base::ErrorCode::network_socket_failed, "no address given")));
  }
  return std::unique_ptr<NodeDriver>(new NodeDriver(loop, entropy, std::move(settings),
                                                    std::move(sockets[0]), std::move(sockets[1])));
}

NodeDriver::NodeDriver(boost::asio::io_context& loop, engine::Entropy& entropy,
                       NodeDriverSettings settings, std::unique_ptr<UdpSocket> socket_v4,
                       std::unique_ptr<UdpSocket> socket_v6)
    : socket_v4_(std::move(socket_v4)),
      socket_v6_(std::move(socket_v6)),
      node_(with_families(settings.node, socket_v4_ != nullptr, socket_v6_ != nullptr), entropy,
            now(), settings.saved_state),
      timer_(loop),
      bootstrap_(std::move(settings.bootstrap)),
      name_lookup_(loop),
      bootstrap_timer_(loop),
      bootstrap_back_off_(bootstrap_back_off_min),
      bootstrap_not_before_(now()) {
  auto const on_datagram = [this](base::Endpoint const& from, base::ByteView payload) {
    node_.on_datagram(now(), from, payload);
    drain();
  };
  if (socket_v4_) socket_v4_->start(on_datagram);
  if (socket_v6_) socket_v6_->start(on_datagram);
  drain();
}

NodeDriver::~NodeDriver() = default;

base::Result<dht::OperationId> NodeDriver::start(Command const& command, OperationWatcher watcher) {
  auto id = command(node_, now());
  if (id) watchers_.emplace(*id, std::move(watcher));
  drain();
  return id;
}

void NodeDriver::cancel(dht::OperationId id) {
  node_.cancel(now(), id);
  drain();
}

void NodeDriver::add_bootstrap_nodes(std::vector<base::Endpoint> const& nodes) {
  node_.add_bootstrap_nodes(now(), nodes);
  drain();
}

void NodeDriver::drain() {
  // A watcher may start the next operation, which comes back here: the outer loop goes on for it.
  if (draining_) return;
  draining_ = true;
  while (auto effect = node_.poll_effect()) {
    std::visit(
        [this](auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, dht::SendDatagram>) {
            send(value);
          } else if constexpr (std::is_same_v<T, dht::ResolveBootstrap>) {
            look_up_bootstrap();
          } else if constexpr (std::is_same_v<T, dht::Finished>) {
            report(value);
          } else {
            auto const found = watchers_.find(value.id);
            if (found == watchers_.end()) return;
            if constexpr (std::is_same_v<T, dht::ItemFound>) {
              if (found->second.on_item) found->second.on_item(value.item);
            } else {
              static_assert(std::is_same_v<T, dht::Progress>);
              if (found->second.on_progress) found->second.on_progress(value.tally, value.stored);
            }
          }
        },
        *effect);
  }
  draining_ = false;
  arm_timer();
}

void NodeDriver::send(dht::SendDatagram const& datagram) {
  UdpSocket* const socket = (datagram.to.address.is_v4() ? socket_v4_ : socket_v6_).get();
  // What the system does not take is lost as any datagram may be: the node's timeouts see to it.
  if (socket != nullptr) socket->send(datagram.to, datagram.payload);
}

void NodeDriver::report(dht::Finished& finished) {
  auto entry = watchers_.extract(finished.id);
  if (!entry.empty() && entry.mapped().on_finished) {
    entry.mapped().on_finished(std::move(finished.outcome));
  }
}

void NodeDriver::arm_timer() {
  auto const deadline = node_.next_deadline();
  // A timer that fires too early costs one wake-up; setting it anew for each datagram costs more.
  if (!deadline || (armed_for_ && *armed_for_ <= *deadline)) return;
  armed_for_ = deadline;
  timer_.expires_at(time_point_of(*deadline));
  timer_.async_wait([this](boost::system::error_code const& error) {
    if (error) return;  // set anew, or this object is gone
    armed_for_.reset();
    auto const due = node_.next_deadline();
    if (due && *due <= now()) node_.on_deadline(now());
    drain();
  });
}

void NodeDriver::look_up_bootstrap() {
  if (bootstrap_.empty() || name_lookup_.is_running() || bootstrap_waiting_) return;
  if (now() < bootstrap_not_before_) {
    bootstrap_waiting_ = true;
    bootstrap_timer_.expires_at(time_point_of(bootstrap_not_before_));
    bootstrap_timer_.async_wait([this](boost::system::error_code const& error) {
      if (error) return;
      bootstrap_waiting_ = false;
      look_up_bootstrap();
    });
    return;
  }
  name_lookup_.start(bootstrap_, [this](NameLookup::Outcomes const& outcomes) {
    on_bootstrap_addresses(outcomes);
  });
}

void NodeDriver::on_bootstrap_addresses(NameLookup::Outcomes const& outcomes) {
  std::vector<base::Endpoint> nodes;
  BootstrapLookup result;
  for (auto const& outcome : outcomes) {
    if (outcome) {
      nodes.insert(nodes.end(), outcome->begin(), outcome->end());
    } else {
      result.error = outcome.error();
    }
  }
  if (!nodes.empty()) result.error.reset();
  bootstrap_lookup_ = std::move(result);
  bootstrap_not_before_ = now() + bootstrap_back_off_;
  bootstrap_back_off_ = std::min(bootstrap_back_off_ * 2, bootstrap_back_off_max);
  if (!nodes.empty()) add_bootstrap_nodes(nodes);
}

}  // namespace dotkey::host::loop
