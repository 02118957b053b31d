// SPDX-License-Identifier: Apache-2.0
#include "host/driver/dht_port.h"

#include <utility>

#include "host/loop/clock.h"

namespace dotkey::host::driver {

using base::ErrorCode;

namespace {

constexpr std::chrono::milliseconds look_again_delay{10};

}  // namespace

DhtPort::DhtPort(boost::asio::io_context& loop, loop::NodeDriver& driver,
                 DhtPortSettings const& settings, Listener& listener)
    : timer_(loop),
      driver_(driver),
      settings_(settings),
      listener_(listener),
      opened_(loop::now()) {}

DhtPort::~DhtPort() {
  *alive_ = false;
}

std::uint32_t DhtPort::nodes_known() const {
  dht::Status const status = driver_.node().status();
  return status.nodes_v4 + status.nodes_v6;
}

void DhtPort::start(api::StartDhtGet get) {
  api::DhtId const id = get.id;
  run_or_wait(id, [get = std::move(get)](dht::Node& node, engine::Instant now) {
    return node.get_mutable(now, get.key, {}, get.options);
  });
}

void DhtPort::start(api::StartDhtPut put) {
  api::DhtId const id = put.id;
  run_or_wait(id, [put = std::move(put)](dht::Node& node, engine::Instant now) {
    return node.put_mutable(now, put.item, put.options);
  });
}

void DhtPort::cancel(api::DhtId id) {
  std::erase_if(waiting_, [&](Waiting const& waiting) { return waiting.id == id; });
  auto const running = running_.extract(id);
  if (!running.empty()) driver_.cancel(running.mapped());
}

void DhtPort::run_or_wait(api::DhtId id, loop::NodeDriver::Command command) {
  ErrorCode error{};
  if (readiness(loop::now(), error) == Readiness::ready) return run(id, command);
  waiting_.push_back({id, std::move(command), loop::now()});
  if (waiting_.size() == 1) look_again_later();
}

void DhtPort::run(api::DhtId id, loop::NodeDriver::Command const& command) {
  auto const guard = [this, id, alive = std::weak_ptr(alive_)](auto act) {
    return [this, id, alive, act](auto&&... arguments) {
      if (alive.expired() || !running_.contains(id)) return;
      act(id, std::forward<decltype(arguments)>(arguments)...);
    };
  };
  loop::OperationWatcher watcher;
  watcher.on_item = guard(
      [this](api::DhtId of, dht::MutableItem const& item) { listener_.on_dht_item(of, item); });
  watcher.on_progress = guard([this](api::DhtId of, dht::Tally const& tally, std::uint32_t stored) {
    listener_.on_dht_progress(of, tally, stored);
  });
  watcher.on_finished = guard([this](api::DhtId of, dht::Outcome const& outcome) {
    running_.erase(of);
    listener_.on_dht_finished(of, outcome);
  });
  // The first reports may come before start() returns.
  running_.emplace(id, dht::OperationId{});
  auto const operation = driver_.start(command, std::move(watcher));
  if (!operation) {
    running_.erase(id);
    return listener_.on_dht_not_started(id, operation.error().code);
  }
  if (auto const found = running_.find(id); found != running_.end()) found->second = *operation;
}

DhtPort::Readiness DhtPort::readiness(engine::Instant since, ErrorCode& error) const {
  engine::Instant const now = loop::now();
  if (driver_.node().is_bootstrapped()) return Readiness::ready;
  std::uint32_t const nodes = nodes_known();
  if (nodes > 0) {
    return now >= opened_ + settings_.few_nodes_patience ? Readiness::ready : Readiness::waiting;
  }
  auto const& names = driver_.bootstrap_lookup();
  error = ErrorCode::dht_bootstrap_unresolved;
  if (names && names->error) return Readiness::hopeless;
  error = ErrorCode::dht_no_responses;
  return now >= since + settings_.no_nodes_patience ? Readiness::hopeless : Readiness::waiting;
}

void DhtPort::look_again_later() {
  timer_.expires_after(look_again_delay);
  timer_.async_wait([this](boost::system::error_code const& failed) {
    if (!failed) look_again();
  });
}

void DhtPort::look_again() {
  auto waiting = std::exchange(waiting_, {});
  for (Waiting& one : waiting) {
    ErrorCode error{};
    switch (readiness(one.since, error)) {
      case Readiness::ready:
        run(one.id, one.command);
        break;
      case Readiness::hopeless:
        listener_.on_dht_not_started(one.id, error);
        break;
      case Readiness::waiting:
        waiting_.push_back(std::move(one));
        break;
    }
  }
  if (!waiting_.empty()) look_again_later();
}

}  // namespace dotkey::host::driver
