// SPDX-License-Identifier: Apache-2.0
#include "host/cli/dht_session.h"

#include <algorithm>
#include <optional>

#include "host/loop/bootstrap_nodes.h"
#include "host/loop/clock.h"
#include "host/store/dht_state.h"

namespace dotkey::host::cli {
namespace {

using base::ErrorCode;
using engine::Duration;
using loop::Foreground;

// A network smaller than a lookup is wide never fills the table: go ahead with what is there.
constexpr Duration few_nodes_patience = Duration::from_ms(1500);
// How long a name server and the first datagrams may take before "no nodes" is the answer.
constexpr Duration no_nodes_patience = Duration::from_s(10);

bool is_local(std::string const& node) {
  auto const endpoint = base::Endpoint::parse(node);
  return endpoint ? endpoint->address.is_local_network() : node.starts_with("localhost:");
}

bool is_literal(std::string const& node, base::IpFamily family) {
  auto const endpoint = base::Endpoint::parse(node);
  return endpoint && endpoint->address.family() == family;
}

// A family without a route, or without a node to start from, would only keep lookups waiting.
bool is_worth_a_socket(base::IpFamily family, std::vector<std::string> const& bootstrap) {
  auto const of = [&](base::IpFamily wanted) {
    return [wanted](std::string const& node) { return is_literal(node, wanted); };
  };
  base::IpFamily const other =
      family == base::IpFamily::v4 ? base::IpFamily::v6 : base::IpFamily::v4;
  if (std::any_of(bootstrap.begin(), bootstrap.end(), of(family))) return true;
  if (!bootstrap.empty() && std::all_of(bootstrap.begin(), bootstrap.end(), of(other))) {
    return false;
  }
  // Without any route at all the IPv4 socket still gives an honest "no answer".
  return loop::has_route(family) || family == base::IpFamily::v4;
}

}  // namespace

loop::NodeDriverSettings node_settings(Options const& options, std::string const& state_path) {
  loop::NodeDriverSettings out;
  out.node.mode = dht::Mode::client;
  // Who names a node of the local network on the command line wants to use it.
  out.node.allow_local_network =
      options.allow_local_network ||
      std::any_of(options.bootstrap.begin(), options.bootstrap.end(), is_local);
  if (is_worth_a_socket(base::IpFamily::v4, options.bootstrap)) {
    out.local_v4 = base::Endpoint{base::IpAddress::v4({0, 0, 0, 0}), 0};
  }
  if (is_worth_a_socket(base::IpFamily::v6, options.bootstrap)) {
    out.local_v6 = base::Endpoint{base::IpAddress::v6({}), 0};
  }
  out.bootstrap = options.bootstrap;
  if (out.bootstrap.empty()) {
    out.bootstrap.assign(loop::public_bootstrap_nodes.begin(), loop::public_bootstrap_nodes.end());
  }
  out.saved_state = store::load_dht_state(state_path);
  return out;
}

base::Result<std::unique_ptr<DhtSession>> DhtSession::open(Options const& options,
                                                           store::Paths const& paths,
                                                           engine::Entropy& entropy) {
  if (options.no_dht) return base::fail(ErrorCode::network_no_source);
  std::unique_ptr<DhtSession> out(new DhtSession(options, paths));
  if (auto opened = out->open_driver(entropy); !opened) {
    return tl::make_unexpected(opened.error());
  }
  return out;
}

DhtSession::DhtSession(Options const& options, store::Paths const& paths)
    : options_(options),
      state_path_(store::dht_state_path(paths.state_dir, options.bootstrap)),
      deadline_(options.deadline_from(loop::now())) {}

base::Result<void> DhtSession::open_driver(engine::Entropy& entropy) {
  auto driver =
      loop::NodeDriver::open(foreground_.loop(), entropy, node_settings(options_, state_path_));
  if (!driver) return tl::make_unexpected(driver.error());
  driver_ = std::move(*driver);
  return {};
}

DhtSession::~DhtSession() {
  if (!driver_) return;
  dht::Status const status = driver_->node().status();
  // A table that lost all its nodes to a dead network is worth less than the one on disk.
  if (status.nodes_v4 + status.nodes_v6 == 0) return;
  static_cast<void>(store::save_dht_state(state_path_, driver_->node().encode_state()));
}

base::Result<void> DhtSession::wait_for_nodes() {
  engine::Instant const start = loop::now();
  auto const nodes_known = [this] {
    dht::Status const status = driver_->node().status();
    return status.nodes_v4 + status.nodes_v6;
  };
  auto const names_failed = [this] {
    auto const& lookup = driver_->bootstrap_lookup();
    return lookup && lookup->error.has_value();
  };
  auto const settled = [&] {
    return driver_->node().is_bootstrapped() || (names_failed() && nodes_known() == 0);
  };
  auto end = foreground_.run_until(settled, std::min(deadline_, start + few_nodes_patience));
  if (end == Foreground::End::timed_out && nodes_known() == 0) {
    auto const any = [&] { return nodes_known() > 0 || names_failed(); };
    end = foreground_.run_until(any, std::min(deadline_, start + no_nodes_patience));
  }
  if (end == Foreground::End::interrupted) return base::fail(ErrorCode::cancelled);
  if (nodes_known() > 0) return {};
  if (!names_failed()) return base::fail(ErrorCode::dht_no_responses);
  return base::fail(ErrorCode::dht_bootstrap_unresolved,
                    driver_->bootstrap_lookup()->error->detail);
}

base::Result<dht::Outcome> DhtSession::run(std::string const& what,
                                           loop::NodeDriver::Command const& command) {
  if (auto ready = wait_for_nodes(); !ready) return tl::make_unexpected(ready.error());
  ProgressLine progress(what);
  std::optional<dht::Outcome> outcome;
  loop::OperationWatcher watcher;
  watcher.on_progress = [&](dht::Tally const& tally, std::uint32_t stored) {
    progress.show(loop::now(), tally, stored);
  };
  watcher.on_finished = [&](dht::Outcome finished) { outcome = std::move(finished); };
  auto const id = driver_->start(command, std::move(watcher));
  if (!id) return tl::make_unexpected(id.error());

  auto const end = foreground_.run_until([&] { return outcome.has_value(); }, deadline_);
  // cancel() ends in a Finished effect too, with what was found until then.
  if (end != Foreground::End::done) driver_->cancel(*id);
  last_outcome_ = std::move(outcome).value_or(dht::Outcome{});
  if (end == Foreground::End::interrupted) return base::fail(ErrorCode::cancelled);
  if (end == Foreground::End::timed_out) return base::fail(ErrorCode::network_timeout);
  if (last_outcome_.error) return base::fail(*last_outcome_.error);
  return last_outcome_;
}

base::Result<dht::Outcome> DhtSession::get(crypto::PublicKey const& key,
                                           dht::GetOptions const& options) {
  return run("Looking", [&](dht::Node& node, engine::Instant now) {
    return node.get_mutable(now, key, {}, options);
  });
}

base::Result<dht::Outcome> DhtSession::put(dht::MutableItem const& item) {
  return run("Publishing",
             [&](dht::Node& node, engine::Instant now) { return node.put_mutable(now, item, {}); });
}

}  // namespace dotkey::host::cli
