// SPDX-License-Identifier: Apache-2.0
#include "host/page/page_gate.h"

#include <algorithm>
#include <utility>

#include "core/evidence/evidence.h"
#include "core/names/hostname.h"

#include "host/loop/clock.h"
#include "host/proxy/upstreams.h"

namespace dotkey::host::page {
namespace {

using base::ErrorCode;
using base::Result;
using proxy::Resolution;
using proxy::Route;
using proxy::Site;
using resolve::Endpoint;
using resolve::LocalNetwork;

bool is_usual_port(std::uint16_t port) {
  return port == 80 || port == 443 || port == 8443;
}

// The key speaks of this port: a record leads from it elsewhere, or pins a certificate there.
bool is_port_published(Site const& site, Endpoint const& endpoint) {
  return is_usual_port(site.port) || endpoint.port != site.port || !endpoint.tlsa.empty();
}

LocalNetwork word_for(bool local) {
  return local ? LocalNetwork::allowed : LocalNetwork::refused;
}

resolve::EndpointQuery query_for(names::Hostname const& host, std::uint16_t port, bool local) {
  resolve::EndpointQuery query;
  query.host = host;
  query.port = port;
  query.local_network = word_for(local);
  return query;
}

// Would there be a way if the user let this key reach the local network?
bool leads_to_local_network(resolve::EndpointSearch const& search, engine::Entropy& entropy) {
  resolve::EndpointQuery query = search.query();
  query.local_network = LocalNetwork::allowed;
  resolve::EndpointSearch again(std::move(query), entropy);
  for (auto keys = again.take_wanted_keys(); !keys.empty(); keys = again.take_wanted_keys()) {
    for (crypto::PublicKey const& key : keys) {
      resolve::Outcome const* const outcome = search.outcome_of(key);
      again.on_outcome(key, outcome == nullptr ? resolve::Outcome{} : *outcome);
    }
  }
  return !again.endpoints().empty();
}

Route route_to(Endpoint const& endpoint, bool local) {
  return {endpoint.server_name, endpoint.port, endpoint.addresses, local};
}

std::chrono::seconds valid_for(record::SignedPacket const& packet) {
  return std::chrono::seconds(packet.ttl_s(valid_for_min_s, valid_for_max_s));
}

std::vector<base::IpAddress> usable_addresses(Result<std::vector<base::Endpoint>> const& found,
                                              Endpoint const& endpoint, bool local) {
  std::vector<base::IpAddress> addresses;
  if (found) {
    for (base::Endpoint const& e : *found) addresses.push_back(e.address);
  }
  if (addresses.empty()) addresses = endpoint.hints;
  // Names of the DNS lead where their owner likes: what a stranger's key may not name, they may not
  // either.
  std::erase_if(addresses, [local](base::IpAddress const& address) {
    return !resolve::is_address_allowed(address, word_for(local));
  });
  return addresses;
}

}  // namespace

PageGate::PageGate(GateParts& parts, Witness* witness) : parts_(parts), witness_(witness) {}

PageGate::~PageGate() = default;

void PageGate::resolve(Site const& site, OnResolved on_resolved) {
  auto const host = names::parse_hostname(site.host);
  if (!host) return on_resolved(base::Failure(host.error()));
  bool const local = parts_.local_keys.contains(host->key);
  api::EndpointOptions options;
  options.first_will_do = true;
  auto const started =
      parts_.driver.find_endpoints(query_for(*host, site.port, local), options,
                                   [this, alive = std::weak_ptr(alive_), site, local,
                                    on_resolved](resolve::EndpointSearch const& search) {
                                     if (!alive.expired())
                                       on_searched(site, search, local, on_resolved);
                                   });
  if (!started) on_resolved(base::Failure(started.error()));
}

void PageGate::on_searched(Site const& site, resolve::EndpointSearch const& search, bool local,
                           OnResolved const& on_resolved) {
  if (search.endpoints().empty()) {
    if (!local && leads_to_local_network(search, parts_.entropy)) {
      return on_resolved(base::fail(ErrorCode::proxy_address_refused));
    }
    auto const error = search.error();
    return on_resolved(base::Failure(error ? *error : base::Error(ErrorCode::resolve_no_endpoint)));
  }
  Found found;
  found.endpoints = search.endpoints();
  std::erase_if(found.endpoints, [&](Endpoint const& e) { return !is_port_published(site, e); });
  if (found.endpoints.empty()) return on_resolved(base::fail(ErrorCode::proxy_port_refused));
  for (Endpoint const& endpoint : found.endpoints) {
    for (crypto::PublicKey const& key : endpoint.path) {
      if (auto const* const packet = search.packet_of(key)) found.packets.emplace(key, *packet);
    }
  }
  if (auto const* const own = search.outcome_of(search.query().host.key)) {
    found.source = own->source;
    found.last_seen = own->last_seen;
  }
  found.local_network_allowed = local;
  remember(site, std::move(found));
  look_up_hosts(site, found_.front().second, on_resolved);
}

void PageGate::look_up_hosts(Site const& site, Found const& found, OnResolved on_resolved) {
  auto const first = names::parse_hostname(site.host);
  auto const own = found.packets.find(first->key);
  std::chrono::seconds const validity =
      own == found.packets.end() ? std::chrono::seconds(valid_for_min_s) : valid_for(own->second);
  std::vector<Endpoint> endpoints = found.endpoints;
  if (endpoints.size() > proxy::routes_max) endpoints.resize(proxy::routes_max);
  std::vector<std::string> names;
  for (Endpoint const& endpoint : endpoints) {
    if (!endpoint.icann_host.empty()) {
      names.push_back(endpoint.icann_host + ":" + std::to_string(endpoint.port));
    }
  }
  bool const local = found.local_network_allowed;
  auto finish = [endpoints = std::move(endpoints), validity, local,
                 on_resolved](loop::NameLookup::Outcomes const& outcomes) {
    Resolution resolution{{}, validity};
    std::size_t next = 0;
    for (Endpoint const& endpoint : endpoints) {
      Route route = route_to(endpoint, local);
      if (!endpoint.icann_host.empty()) {
        route.addresses = usable_addresses(outcomes[next++], endpoint, local);
      }
      resolution.routes.push_back(std::move(route));
    }
    on_resolved(std::move(resolution));
  };
  if (names.empty()) return finish({});
  auto const pending = pending_.emplace(pending_.end(), parts_.loop, site, OnResolved());
  pending->lookup.start(std::move(names), [this, pending, finish](auto const& outcomes) {
    auto const copy = outcomes;
    // The lookup is destroyed with its entry, and with it this very function.
    auto const last = finish;
    pending_.erase(pending);
    last(copy);
  });
}

void PageGate::remember(Site const& site, Found found) {
  found_.remove_if([&](auto const& entry) { return entry.first == site; });
  if (found_.size() == found_sites_max) found_.pop_back();
  found_.emplace_front(site, std::move(found));
}

PageGate::Found const* PageGate::find(Site const& site) const {
  auto const entry =
      std::find_if(found_.begin(), found_.end(), [&](auto const& e) { return e.first == site; });
  return entry == found_.end() ? nullptr : &entry->second;
}

std::vector<Site> PageGate::sites_resting_on(record::SignedPacket const& packet) const {
  std::vector<Site> sites;
  for (auto const& [site, found] : found_) {
    auto const used = found.packets.find(packet.key());
    if (used != found.packets.end() && used->second.timestamp_us() != packet.timestamp_us()) {
      sites.push_back(site);
    }
  }
  return sites;
}

void PageGate::decide(proxy::Evidence evidence, OnDecided on_decided) {
  Found const* const found = find(evidence.site);
  if (found == nullptr) {
    return on_decided(proxy::Deny{std::string(base::slug_of(ErrorCode::evidence_packet_missing))});
  }
  ShownEvidence shown{evidence.site,
                      {},
                      std::move(evidence.chain),
                      evidence.route.host,
                      evidence.route.port,
                      evidence.endpoint.address};
  shown.source = found->source;
  shown.age_s = static_cast<std::uint32_t>(
      std::max<std::int64_t>(0, (loop::unix_now() - found->last_seen).ms() / 1000));
  evidence::Evidence ours{shown.site.host,
                          shown.site.port,
                          shown.route_host,
                          shown.route_port,
                          {},
                          {},
                          loop::unix_now().us / 1'000'000};
  std::chrono::seconds validity(valid_for_max_s);
  for (auto const& [key, packet] : found->packets) {
    if (shown.packets.size() == evidence::packets_max) break;
    shown.packets.push_back(base::to_bytes(packet.canonical()));
    validity = std::min(validity, valid_for(packet));
  }
  ours.packets.assign(shown.packets.begin(), shown.packets.end());
  ours.chain.assign(shown.chain.begin(), shown.chain.end());
  auto const finding = evidence::examine(ours);
  bool const allow = finding && pin::is_allowed(finding->decision.verdict);
  std::string slug(finding ? pin::slug_of(finding->decision.verdict)
                           : base::slug_of(finding.error().code));
  proxy::Decision const decision =
      allow ? proxy::Decision(proxy::Allow{validity}) : proxy::Decision(proxy::Deny{slug});
  if (witness_ == nullptr) return on_decided(decision);
  // It sees what we deny too: the blocked page explains with it.
  witness_->examine(shown, [decision, on_decided](WitnessVerdict const& theirs) {
    on_decided(theirs.allow ? decision : proxy::Decision(proxy::Deny{theirs.slug}));
  });
}

void PageGate::on_refused(Site const& site, std::string_view slug) {
  if (witness_ != nullptr) witness_->on_refused(site, slug);
}

}  // namespace dotkey::host::page
