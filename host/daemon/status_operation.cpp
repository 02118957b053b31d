// SPDX-License-Identifier: Apache-2.0
// status: how the daemon and its networks fare.
#include <algorithm>
#include <cmath>

#include <boost/json/array.hpp>
#include <unistd.h>

#include "core/base/text.h"

#include "host/daemon/browser_part.h"
#include "host/daemon/listener.h"
#include "host/daemon/operations.h"
#include "host/loop/clock.h"

namespace dotkey::host::daemon {

namespace {

// [{"below_ms", "nodes"}, …], of the last class without a bound.
boost::json::array describe_round_trips(dht::Neighbourhood const& neighbourhood) {
  boost::json::array out;
  for (std::size_t i = 0; i < neighbourhood.by_round_trip.size(); ++i) {
    boost::json::object entry = {{"nodes", neighbourhood.by_round_trip[i]}};
    if (i < dht::round_trip_steps_ms.size()) entry["below_ms"] = dht::round_trip_steps_ms[i];
    out.push_back(std::move(entry));
  }
  return out;
}

boost::json::object describe_dht(loop::NodeDriver const* driver) {
  if (driver == nullptr) return {{"enabled", false}};
  dht::Status const status = driver->node().status();
  dht::Neighbourhood const neighbourhood = driver->node().neighbourhood();
  boost::json::object out = {
      {"enabled", true},
      {"mode", status.read_only ? "client" : "server"},
      {"id", base::encode_hex(status.id.view())},
      {"port_v4", driver->port_v4()},
      {"port_v6", driver->port_v6()},
      {"nodes", status.nodes_v4 + status.nodes_v6},
      {"nodes_v4", status.nodes_v4},
      {"nodes_v6", status.nodes_v6},
      {"buckets",
       boost::json::array(neighbourhood.by_bucket.begin(), neighbourhood.by_bucket.end())},
      {"round_trips", describe_round_trips(neighbourhood)},
      {"network_size", std::llround(status.size_estimate)},
      {"records_kept_for_others", status.stored_mutable + status.stored_immutable},
      {"operations", status.operations},
      {"datagrams_in", status.datagrams_in},
      {"datagrams_out", status.datagrams_out},
      {"datagrams_dropped", status.datagrams_dropped}};
  if (status.external_v4) out["external_v4"] = status.external_v4->to_string();
  if (status.external_v6) out["external_v6"] = status.external_v6->to_string();
  return out;
}

boost::json::array describe_relays(api::Node const& node) {
  boost::json::array out;
  for (dotkey::relay::RelayStatus const& relay : node.relays()) {
    auto const rest = relay.health.rests_until() - loop::now();
    boost::json::object entry = {{"url", relay.url},
                                 {"latency_ms", relay.health.latency().ms()},
                                 {"successes", relay.health.successes()},
                                 {"failures", relay.health.failures()},
                                 {"failures_in_a_row", relay.health.consecutive_failures()},
                                 {"rests_ms", std::max<std::int64_t>(rest.ms(), 0)}};
    if (relay.last_error) entry["last_error"] = base::slug_of(*relay.last_error);
    out.push_back(std::move(entry));
  }
  return out;
}

boost::json::object describe_cache(api::Status const& status) {
  return {{"entries", status.cache_entries},
          {"bytes", status.cache_bytes},
          {"hits", status.cache.hits},
          {"misses", status.cache.misses},
          {"evictions", status.cache.evictions}};
}

boost::json::array describe_sessions(Services const& services) {
  boost::json::array out;
  if (services.listener == nullptr) return out;
  services.listener->for_each_session([&](Session const& session) {
    auto const* const part = dynamic_cast<BrowserPart const*>(session.part.get());
    if (part == nullptr) return;
    proxy::PortCounters const* const counters = part->session().counters();
    boost::json::object entry{{"browser", part->extension().browser},
                              {"extension", part->extension().version},
                              {"proxy_port", part->proxy_port()}};
    if (counters != nullptr) {
      entry["established"] = counters->established;
      entry["refused"] = counters->refused;
    }
    out.push_back(std::move(entry));
  });
  return out;
}

boost::json::object describe_pages(Services const& services) {
  if (services.pages == nullptr) {
    if (!services.pages_error) return {};
    return {{"error", base::slug_of(services.pages_error->code)},
            {"detail", services.pages_error->detail}};
  }
  return {{"proxy_port", services.pages->general().port()},
          {"browsers", services.pages->session_count() - 1},
          {"sessions", describe_sessions(services)},
          {"ca_sha256", services.pages->ca_sha256()}};
}

}  // namespace

void on_status(Services& services, Peer& peer, channel::Message request) {
  api::Node const& node = services.driver.node();
  api::Status const status = node.status();
  store::PacketStoreCounters const& packets = services.driver.packets().counters();
  peer.answer(request,
              {{"version", services.version},
               {"pid", ::getpid()},
               {"started_us", services.started.us},
               {"state_dir", services.state_dir},
               {"clients", services.listener == nullptr ? 0 : services.listener->session_count()},
               {"dht", describe_dht(services.driver.dht())},
               {"relays", describe_relays(node)},
               {"cache", describe_cache(status)},
               {"packets_on_disk", packets.packets.load()},
               {"pages", describe_pages(services)},
               {"questions", status.resolve.questions},
               {"answered_fresh", status.resolve.answered_fresh},
               {"answered_stale", status.resolve.answered_stale},
               {"lookups", status.lookups},
               {"keys_kept_alive", status.keys_kept_alive},
               {"keys", describe_kept_keys(node)}});
}

}  // namespace dotkey::host::daemon
