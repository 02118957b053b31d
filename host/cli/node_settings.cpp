// SPDX-License-Identifier: Apache-2.0
#include "host/cli/node_settings.h"

#include <algorithm>

#include "host/cli/version.h"
#include "host/loop/bootstrap_nodes.h"
#include "host/store/dht_state.h"

namespace dotkey::host::cli {
namespace {

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

// Why there is no answer is worth knowing before the time is up.
void keep_within(Options const& options, driver::ApiDriverSettings& out) {
  engine::Duration const timeout = options.timeout();
  auto& patience = out.dht_port.no_nodes_patience;
  patience = std::min(patience, timeout * 8 / 10);
  out.api.relay.request_timeout = std::min(out.api.relay.request_timeout, timeout * 8 / 10);
  out.api.resolve.question_timeout = timeout * 9 / 10;
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

daemon::Changeable changeable_settings(Options const& options) {
  daemon::Changeable out;
  out.relays = options.relays;
  out.packets_max = options.daemon.packets_max;
  out.api.cache_entries_max = options.daemon.cache_entries_max;
  out.api.republish_interval = engine::Duration::from_s(options.daemon.republish_interval_s);
  out.api.republish_to_relays = options.daemon.republish_to_relays;
  return out;
}

daemon::CoreSettings core_settings(Program const& program, Purpose purpose) {
  Options const& options = program.options;
  std::string const& state_dir = program.paths.state_dir;
  daemon::CoreSettings out;
  out.state_dir = state_dir;
  out.keys_dir = program.paths.keys_dir;
  out.version = version_number;
  out.network = {options.bootstrap, options.relays, !options.no_dht};
  out.dht_state = store::dht_state_path(state_dir, options.bootstrap);
  out.driver.packets = state_dir + "/packets.sqlite";
  out.driver.rows = store::network_path(state_dir, "published", options.bootstrap, ".sqlite");
  out.driver.relays = options.relays;
  if (!options.no_dht) out.driver.dht = node_settings(options, out.dht_state);
  // Where there are relays, nobody has to wait long for a DHT that is not there.
  if (!options.relays.empty()) {
    out.driver.dht_port.no_nodes_patience = engine::Duration::from_s(4);
  }
  if (purpose == Purpose::command) {
    out.driver.api.publish.republish = false;
    keep_within(options, out.driver);
    return out;
  }
  DaemonOptions const& daemon = options.daemon;
  if (out.driver.dht) {
    out.driver.dht->node.mode = dht::Mode::adaptive;
    if (out.driver.dht->local_v4) out.driver.dht->local_v4->port = daemon.dht_port;
    if (out.driver.dht->local_v6) out.driver.dht->local_v6->port = daemon.dht_port;
  }
  out.driver.packets_max = daemon.packets_max;
  out.driver.api.cache.entries_max = daemon.cache_entries_max;
  out.driver.api.publish.interval = engine::Duration::from_s(daemon.republish_interval_s);
  out.driver.api.publish.republish_to_relays = daemon.republish_to_relays;
  return out;
}

}  // namespace dotkey::host::cli
