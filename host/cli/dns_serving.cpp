// SPDX-License-Identifier: Apache-2.0
#include "host/cli/dns_serving.h"

#include <boost/json/array.hpp>

#include "host/cli/dns_settings.h"

namespace dotkey::host::cli {

base::Result<DnsServing> serve_dns(boost::asio::io_context& loop, daemon::Services& services,
                                   Options const& options, cache::Settings const& cache) {
  auto settings = dns_server_settings(options.dns, options.allow_local_network);
  if (!settings) return tl::make_unexpected(settings.error());
  settings->bridge.rules.ttl_min_s = cache.ttl_min_s;
  settings->bridge.rules.ttl_max_s = cache.ttl_max_s;
  settings->bridge.rules.local_keys = services.local_keys.keys();
  auto const find_key = [&driver = services.driver](crypto::PublicKey const& key,
                                                    dns::OnOutcome const& on_outcome) {
    auto const started = driver.resolve(key, {}, on_outcome);
    if (started) return;
    resolve::Outcome outcome;
    outcome.error = started.error();
    on_outcome(outcome);
  };
  DnsServing out;
  auto server = dns::Server::open(loop, find_key, std::move(*settings));
  if (!server) return tl::make_unexpected(server.error());
  out.server = std::move(*server);
  if (options.dns.metrics.empty()) return out;
  auto const listen = parse_listen(options.dns.metrics);
  if (!listen) return tl::make_unexpected(listen.error());
  auto metrics = dns::serve_metrics(loop, *listen, *out.server);
  if (!metrics) return tl::make_unexpected(metrics.error());
  out.metrics = std::move(*metrics);
  return out;
}

void add_addresses(boost::json::object& out, DnsServing const& serving) {
  dns::ServerAddresses const& addresses = serving.server->addresses();
  auto const add = [&out](char const* name, std::vector<base::Endpoint> const& list) {
    boost::json::array texts;
    for (base::Endpoint const& address : list) texts.emplace_back(address.to_string());
    out[name] = std::move(texts);
  };
  add("dns", addresses.dns);
  add("tls", addresses.tls);
  add("https", addresses.https);
  if (serving.metrics) out["metrics_port"] = serving.metrics->port();
}

}  // namespace dotkey::host::cli
