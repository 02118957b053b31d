// SPDX-License-Identifier: Apache-2.0
#include "host/page/page_gate.h"

#include <algorithm>
#include <utility>

#include "core/names/hostname.h"

#include "host/loop/clock.h"
#include "host/page/probe_site.h"
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

// In any of the packets, for whatever port and name.
bool has_pins(std::map<crypto::PublicKey, record::SignedPacket> const& packets) {
  auto const is_pin = [](auto const& record) { return record.type == wire::dns::RecordType::tlsa; };
  return std::any_of(packets.begin(), packets.end(), [&](auto const& entry) {
    auto const& records = entry.second.records();
    return std::any_of(records.begin(), records.end(), is_pin);
  });
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

PageGate::PageGate(GateParts& parts, Witness* witness)
    : parts_(parts), witness_(witness), lookups_(parts.loop) {}

PageGate::~PageGate() = default;

void PageGate::resolve(Site const& site, OnResolved on_resolved) {
  auto const host = names::parse_hostname(site.host);
  if (!host) return on_resolved(base::Failure(host.error()));
  if (is_probe(site)) return resolve_probe(site, on_resolved);
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
  auto const found = std::make_shared<Found>(site);
  found->endpoints = search.endpoints();
  std::erase_if(found->endpoints, [&](Endpoint const& e) { return !is_port_published(site, e); });
  if (found->endpoints.empty()) return on_resolved(base::fail(ErrorCode::proxy_port_refused));
  for (Endpoint const& endpoint : found->endpoints) {
    for (crypto::PublicKey const& key : endpoint.path) {
      if (auto const* const packet = search.packet_of(key)) found->packets.emplace(key, *packet);
    }
  }
  if (auto const* const own = search.outcome_of(search.query().host.key)) {
    found->source = own->source;
    found->last_seen = own->last_seen;
  }
  found->local_network_allowed = local;
  remember(found);
  look_up_hosts(found, on_resolved);
}

bool PageGate::is_probe(Site const& site) const {
  return parts_.probe != nullptr && site.host == parts_.probe->host();
}

// Its packet is in no network: the daemon made it this moment.
void PageGate::resolve_probe(Site const& site, OnResolved const& on_resolved) {
  probe_trace_.asked = true;
  auto const host = names::parse_hostname(site.host);
  resolve::EndpointSearch search(query_for(*host, site.port, true), parts_.entropy);
  for (auto keys = search.take_wanted_keys(); !keys.empty(); keys = search.take_wanted_keys()) {
    for (crypto::PublicKey const& key : keys) {
      resolve::Outcome outcome;
      if (key == host->key) {
        outcome.verdict = resolve::Verdict::found;
        outcome.packet = parts_.probe->packet();
        outcome.last_seen = loop::unix_now();
      }
      search.on_outcome(key, std::move(outcome));
    }
  }
  on_searched(site, search, true, on_resolved);
}

void PageGate::note_probe(Site const& site, bool allowed) {
  if (is_probe(site)) probe_trace_.allowed = allowed;
}

void PageGate::resolve_plain(Site const& site, OnResolved on_resolved) {
  auto const host = names::parse_hostname(site.host);
  if (!host) return on_resolved(base::Failure(host.error()));
  if (!parts_.http_keys.contains(host->key)) {
    return on_resolved(base::fail(ErrorCode::proxy_tls_expected));
  }
  bool const local = parts_.local_keys.contains(host->key);
  resolve::EndpointQuery query = query_for(*host, site.port, local);
  query.scheme = "http";
  auto const started =
      parts_.driver.find_endpoints(std::move(query), {},
                                   [this, alive = std::weak_ptr(alive_), site, local,
                                    on_resolved](resolve::EndpointSearch const& search) {
                                     if (!alive.expired())
                                       on_searched_plain(site, search, local, on_resolved);
                                   });
  if (!started) on_resolved(base::Failure(started.error()));
}

// One pin, of whatever port and name, and the key's holder wants TLS: nothing goes unencrypted.
void PageGate::on_searched_plain(Site const& site, resolve::EndpointSearch const& search,
                                 bool local, OnResolved const& on_resolved) {
  if (search.endpoints().empty()) {
    if (!local && leads_to_local_network(search, parts_.entropy)) {
      return on_resolved(base::fail(ErrorCode::proxy_address_refused));
    }
    auto const error = search.error();
    return on_resolved(base::Failure(error ? *error : base::Error(ErrorCode::resolve_no_endpoint)));
  }
  auto const found = std::make_shared<Found>(site);
  found->local_network_allowed = local;
  for (Endpoint const& endpoint : search.endpoints()) {
    for (crypto::PublicKey const& key : endpoint.path) {
      auto const* const packet = search.packet_of(key);
      if (packet == nullptr) return on_resolved(base::fail(ErrorCode::proxy_tls_expected));
      found->packets.emplace(key, *packet);
    }
    // A service record speaks of another port, and of TLS there.
    if (endpoint.port == site.port) found->endpoints.push_back(endpoint);
  }
  take_newest(found->packets);
  if (has_pins(found->packets)) return on_resolved(base::fail(ErrorCode::proxy_tls_expected));
  if (!is_usual_port(site.port) || found->endpoints.empty()) {
    return on_resolved(base::fail(ErrorCode::proxy_port_refused));
  }
  look_up_hosts(found, on_resolved);
}

void PageGate::look_up_hosts(std::shared_ptr<Found> const& found, OnResolved const& on_resolved) {
  auto const first = names::parse_hostname(found->site.host);
  auto const own = found->packets.find(first->key);
  std::chrono::seconds const validity =
      own == found->packets.end() ? std::chrono::seconds(valid_for_min_s) : valid_for(own->second);
  std::vector<Endpoint> endpoints = found->endpoints;
  if (endpoints.size() > proxy::routes_max) endpoints.resize(proxy::routes_max);
  std::vector<std::string> names;
  for (Endpoint const& endpoint : endpoints) {
    if (!endpoint.icann_host.empty()) {
      names.push_back(endpoint.icann_host + ":" + std::to_string(endpoint.port));
    }
  }
  auto finish = [endpoints = std::move(endpoints), validity, found,
                 on_resolved](loop::NameLookup::Outcomes const& outcomes) {
    Resolution resolution{{}, validity, found};
    bool const local = found->local_network_allowed;
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
  if (!lookups_.start(names, std::move(finish))) {
    on_resolved(base::fail(ErrorCode::resolve_busy));
  }
}

void PageGate::remember(std::shared_ptr<Found> const& found) {
  found_.remove_if([](auto const& known) { return known.expired(); });
  found_.push_front(found);
}

std::shared_ptr<PageGate::Found const> PageGate::find(Site const& site) const {
  for (auto const& known : found_) {
    if (auto const found = known.lock(); found && found->site == site) return found;
  }
  return nullptr;
}

void PageGate::remember_allowed(Found& found, Allowed allowed) {
  auto const is_same = [&](Allowed const& known) {
    return known.chain == allowed.chain && known.route_host == allowed.route_host &&
           known.route_port == allowed.route_port;
  };
  if (std::any_of(found.allowed.begin(), found.allowed.end(), is_same)) return;
  found.has_more_allowed = found.allowed.size() == allowed_chains_kept_max;
  if (!found.has_more_allowed) found.allowed.push_back(std::move(allowed));
}

base::Result<evidence::Finding> PageGate::look_at(Site const& site, Allowed const& shown,
                                                  Packets const& packets) {
  evidence::Evidence ours;
  ours.host = site.host;
  ours.port = site.port;
  ours.route_host = shown.route_host;
  ours.route_port = shown.route_port;
  ours.now_s = loop::unix_now().us / 1'000'000;
  for (auto const& [key, packet] : packets) ours.packets.push_back(packet.canonical());
  ours.chain.assign(shown.chain.begin(), shown.chain.end());
  return evidence::examine(ours);
}

std::vector<PageGate::Resting> PageGate::sites_resting_on(
    record::SignedPacket const& packet) const {
  std::vector<Resting> sites;
  std::size_t looks_left = looks_a_packet_max;
  for (auto const& known : found_) {
    auto const found = known.lock();
    if (!found) continue;
    auto const used = found->packets.find(packet.key());
    if (used == found->packets.end() || !packet.is_more_recent_than(used->second)) continue;
    Packets packets = found->packets;
    packets.insert_or_assign(packet.key(), packet);
    take_newest(packets);
    Resting resting{found->site, !found->has_more_allowed};
    for (Allowed const& allowed : found->allowed) {
      resting.still_holds = resting.still_holds && looks_left > 0;
      if (!resting.still_holds) break;
      --looks_left;
      auto const finding = look_at(found->site, allowed, packets);
      resting.still_holds = finding && pin::is_allowed(finding->decision.verdict);
    }
    sites.push_back(std::move(resting));
  }
  return sites;
}

proxy::Decision PageGate::judge(Site const& site, Allowed const& shown, Packets const& packets) {
  auto const finding = look_at(site, shown, packets);
  if (!finding) return proxy::Deny{std::string(base::slug_of(finding.error().code))};
  if (!pin::is_allowed(finding->decision.verdict)) {
    return proxy::Deny{std::string(pin::slug_of(finding->decision.verdict))};
  }
  std::chrono::seconds validity(valid_for_max_s);
  for (auto const& [key, packet] : packets) validity = std::min(validity, valid_for(packet));
  return proxy::Allow{validity};
}

bool PageGate::take_newest(Packets& packets) const {
  bool changed = false;
  for (auto& [key, packet] : packets) {
    auto known = parts_.driver.newest_known(key);
    if (!known || !known->is_more_recent_than(packet)) continue;
    packet = std::move(*known);
    changed = true;
  }
  return changed;
}

// By the packets known now: those that the way was found by may be older, since the first answer
// was enough to go there.
void PageGate::decide(proxy::Evidence evidence, OnDecided on_decided) {
  auto const found = std::dynamic_pointer_cast<Found>(evidence.grounds);
  if (!found || found->site != evidence.site) {
    return on_decided(proxy::Deny{std::string(base::slug_of(ErrorCode::evidence_packet_missing))});
  }
  Allowed shown{evidence.route.host, evidence.route.port, std::move(evidence.chain)};
  Packets packets = found->packets;
  take_newest(packets);
  proxy::Decision const decision = judge(found->site, shown, packets);
  if (witness_ == nullptr) return conclude(*found, std::move(shown), decision, on_decided);
  // It sees what we deny too: the blocked page explains with it.
  ShownEvidence const described = describe(*found, packets, shown, evidence.endpoint.address);
  witness_->examine(described, [this, alive = std::weak_ptr(alive_), found, shown, packets,
                                decision, on_decided](WitnessVerdict const& theirs) {
    if (alive.expired()) return;
    if (!theirs.allow) return conclude(*found, shown, proxy::Deny{theirs.slug}, on_decided);
    Packets newest = packets;
    bool const changed = take_newest(newest);
    conclude(*found, shown, changed ? judge(found->site, shown, newest) : decision, on_decided);
  });
}

void PageGate::conclude(Found& found, Allowed shown, proxy::Decision const& decision,
                        OnDecided const& on_decided) {
  bool const allow = std::holds_alternative<proxy::Allow>(decision);
  note_probe(found.site, allow);
  if (allow) remember_allowed(found, std::move(shown));
  on_decided(decision);
}

ShownEvidence PageGate::describe(Found const& found, Packets const& packets, Allowed const& shown,
                                 base::IpAddress const& address) {
  ShownEvidence out{found.site, {}, shown.chain, shown.route_host, shown.route_port, address};
  for (auto const& [key, packet] : packets) {
    out.packets.push_back(base::to_bytes(packet.canonical()));
  }
  out.source = found.source;
  out.age_s = static_cast<std::uint32_t>(
      std::max<std::int64_t>(0, (loop::unix_now() - found.last_seen).ms() / 1000));
  return out;
}

void PageGate::on_refused(Site const& site, std::string_view slug) {
  if (is_probe(site)) probe_trace_.refused = slug;
  if (witness_ == nullptr) return;
  auto const found = find(site);
  witness_->on_refused(site, slug, found != nullptr && !has_pins(found->packets));
}

}  // namespace dotkey::host::page
