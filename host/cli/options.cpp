// SPDX-License-Identifier: Apache-2.0
#include "host/cli/options.h"

#include "core/relay/client.h"

#include "host/cli/config.h"
#include "host/loop/name_lookup.h"

namespace dotkey::host::cli {

using base::ErrorCode;

namespace {

// What the command line names goes before the file.
void complete_dns(DnsOptions& options, DnsOptions&& file) {
  auto const take = [](auto& own, auto& other) {
    if (own.empty()) own = std::move(other);
  };
  if (!options.has_listen()) {
    options.listen = std::move(file.listen);
    options.listen_tls = std::move(file.listen_tls);
    options.listen_https = std::move(file.listen_https);
  }
  take(options.metrics, file.metrics);
  take(options.certificate, file.certificate);
  take(options.key, file.key);
  take(options.allow, file.allow);
  take(options.forward, file.forward);
  take(options.forward_authorities, file.forward_authorities);
  take(options.zones, file.zones);
  take(options.deny_files, file.deny_files);
  take(options.except_files, file.except_files);
  take(options.query_log, file.query_log);
  if (options.threads == 0) options.threads = file.threads;
}

}  // namespace

base::Result<void> complete_options(Options& options, store::Paths& paths) {
  auto config = load_config(options.config_file, paths.config_file);
  if (!config) return tl::make_unexpected(config.error());
  options.named = {!options.bootstrap.empty(), !options.relays.empty(), options.no_dht};
  options.daemon = config->daemon;
  complete_dns(options.dns, std::move(config->dns));
  if (options.bootstrap.empty()) options.bootstrap = std::move(config->bootstrap);
  if (options.relays.empty()) options.relays = std::move(config->relays);
  options.no_dht = options.no_dht || !config->dht.value_or(true);
  options.allow_local_network =
      options.allow_local_network || config->allow_local_network.value_or(false);
  if (!options.timeout_s) options.timeout_s = config->timeout_s;
  if (options.state_dir.empty()) options.state_dir = config->state_dir.value_or("");
  if (!options.state_dir.empty()) paths.state_dir = options.state_dir;

  std::int64_t const timeout_s = options.timeout_s.value_or(Options::timeout_s_default);
  if (timeout_s < 1 || timeout_s > Options::timeout_s_max) {
    return base::fail(ErrorCode::number_out_of_range,
                      "timeout_s is from 1 to " + std::to_string(Options::timeout_s_max));
  }
  for (std::string const& node : options.bootstrap) {
    auto const parsed = loop::parse_host_port(node);
    if (!parsed) return tl::make_unexpected(parsed.error());
  }
  for (std::string const& relay : options.relays) {
    auto const parsed = dotkey::relay::parse_relay_url(relay);
    if (!parsed) return tl::make_unexpected(parsed.error());
  }
  return {};
}

std::vector<std::string_view> start_options_changed(Options const& before, Options const& after) {
  std::vector<std::string_view> out;
  auto const compare = [&](std::string_view name, bool changed) {
    if (changed) out.push_back(name);
  };
  compare("bootstrap", before.bootstrap != after.bootstrap);
  compare("dht", before.no_dht != after.no_dht);
  compare("allow_local_network", before.allow_local_network != after.allow_local_network);
  compare("state_dir", before.state_dir != after.state_dir);
  compare("dht_port", before.daemon.dht_port != after.daemon.dht_port);
  compare("[dns]", before.dns != after.dns);
  return out;
}

}  // namespace dotkey::host::cli
