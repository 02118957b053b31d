// SPDX-License-Identifier: Apache-2.0
// The part of a chase that follows NS records from a key's packet to ordinary name servers. They
// are asked for names as the packet has them, without `.key`.
#include <algorithm>

#include "core/bridge/chase.h"
#include "core/bridge/records.h"
#include "core/record/signed_packet.h"

namespace dotkey::bridge {

namespace dns = wire::dns;
using dns::Name;
using dns::RecordType;
using dns::ResourceRecord;

namespace {

// Against packets that would have us ask half the world.
constexpr std::size_t targets_max = 6;
constexpr std::size_t servers_max = 8;
constexpr std::uint32_t lookups_max = 8;
constexpr std::uint32_t referrals_max = 4;

}  // namespace

ChaseStep Chase::delegate(Zone const& zone, ZoneAnswer const& found) {
  delegation_.emplace();
  delegation_->cut = found.records.front()->name;
  delegation_->inner = place_.inner;
  for (ResourceRecord const* const record : found.records) {
    keep_for(ttl_left_s(record->ttl_s));
    auto const* const server = std::get_if<dns::Ns>(&record->data);
    if (server != nullptr) add_servers_of(zone, server->target);
  }
  return ask_servers();
}

// Addresses that stand in the packet itself, else the name to look up.
void Chase::add_servers_of(Zone const& zone, Name const& target) {
  KeyName const place = classify(target);
  if (place.place == Place::key && place.key == place_.key) {
    for (RecordType const type : {RecordType::a, RecordType::aaaa}) {
      ZoneAnswer const glue = zone.find(place.inner, type);
      if (glue.verdict != ZoneVerdict::records) continue;
      for (ResourceRecord const* const record : glue.records) add_server(*record);
    }
    return;
  }
  bool const has_room = delegation_->targets.size() < targets_max;
  if (has_room && may_look_up(target)) delegation_->targets.push_back(target);
}

// Names under `.key` that are no key's must not reach an upstream, whoever sends us to them.
bool Chase::may_look_up(Name const& server) const {
  Place const place = classify(server).place;
  if (place == Place::key) return true;
  std::string host = server.to_string();
  host.pop_back();  // the root's dot
  return place == Place::elsewhere && resolve::is_icann_host_allowed(host, local_network());
}

void Chase::add_server(ResourceRecord const& record) {
  std::optional<base::IpAddress> address;
  if (auto const* const a = std::get_if<dns::A>(&record.data)) address = a->address();
  if (auto const* const aaaa = std::get_if<dns::Aaaa>(&record.data)) address = aaaa->address();
  if (!address || !resolve::is_address_allowed(*address, local_network())) return;
  base::Endpoint const server{*address, rules_.server_port};
  auto& servers = delegation_->servers;
  bool const known = std::find(servers.begin(), servers.end(), server) != servers.end();
  if (!known && servers.size() < servers_max) servers.push_back(server);
}

// With the first addresses known; the others are looked up only when these fail.
ChaseStep Chase::ask_servers() {
  Delegation& at = *delegation_;
  if (!at.servers.empty()) {
    waiting_ = Waiting::servers;
    return WantServers{std::exchange(at.servers, {}), at.inner, type_};
  }
  if (at.targets.empty() || ++at.lookups > lookups_max) {
    return fail(ExtendedError::no_reachable_authority,
                std::string(base::slug_of(base::ErrorCode::dns_servers_failed)));
  }
  KeyName const place = classify(at.targets.back());
  if (place.place == Place::key) {
    waiting_ = Waiting::server_key;
    return WantKey{place.key};
  }
  waiting_ = Waiting::server_address;
  return WantUpstream{at.targets.back(), RecordType::a};
}

ChaseStep Chase::read_server_packet(resolve::Outcome const& outcome) {
  KeyName const target = classify(delegation_->targets.back());
  delegation_->targets.pop_back();
  if (outcome.packet) {
    Zone const zone(record::origin_of(target.key), outcome.packet->records(),
                    ApexServers::delegate);
    for (RecordType const type : {RecordType::a, RecordType::aaaa}) {
      ZoneAnswer const found = zone.find(target.inner, type);
      if (found.verdict != ZoneVerdict::records) continue;
      for (ResourceRecord const* const record : found.records) add_server(*record);
    }
  }
  return ask_servers();
}

ChaseStep Chase::read_server_address(base::Result<dns::Message> const& message) {
  Name const target = delegation_->targets.back();
  delegation_->targets.pop_back();
  if (message) {
    auto const found = select_answers(*message, target, RecordType::a, Signatures::left_out);
    for (ResourceRecord const* const record : found.records) add_server(*record);
  }
  return ask_servers();
}

ChaseStep Chase::read_server_answer(base::Result<dns::Message> const& message) {
  if (!message) return ask_servers();
  AnswerSection const section = select_answers(*message, delegation_->inner, type_, signatures_);
  if (!is_final(*message)) return ask_servers();
  if (section.records.empty() && !message->authoritative) return refer(*message);

  for (ResourceRecord const* const source : section.records) {
    // Beyond its own names the server has no say.
    if (!source->name.is_subdomain_of(delegation_->cut)) continue;
    ResourceRecord record = *source;
    record.name = presented(source->name);
    if (place_.has_top_level) add_top_level(record.data);
    add(std::move(record), std::clamp(source->ttl_s, 1U, rules_.ttl_max_s));
  }
  if (section.complete && section.last.is_subdomain_of(delegation_->cut)) return end_found();
  if (!(section.last == delegation_->inner)) {
    auto const* const alias =
        reply_.answers.empty() ? nullptr : std::get_if<dns::Cname>(&reply_.answers.back().data);
    if (alias == nullptr) return ask_servers();
    return follow(alias->target);
  }
  ResourceRecord soa = soa_record(presented(delegation_->cut), 1, rules_.negative_ttl_s);
  if (auto const* const own = negative_soa(*message, delegation_->inner)) {
    if (own->name.is_subdomain_of(delegation_->cut)) {
      soa = *own;
      soa.name = presented(own->name);
      soa.ttl_s = std::min(own->ttl_s, std::get<dns::Soa>(own->data).minimum_s);
    }
  }
  return end_negative(message->code, std::move(soa));
}

// To servers further down (RFC 1034 §5.3.3, step 4b); their addresses only from this answer.
ChaseStep Chase::refer(dns::Message const& message) {
  Delegation& at = *delegation_;
  if (++at.referrals > referrals_max) return ask_servers();
  std::vector<Name> targets;
  Name cut = at.cut;
  for (ResourceRecord const& record : message.authorities) {
    auto const* const server = std::get_if<dns::Ns>(&record.data);
    bool const deeper = server != nullptr && record.name.is_subdomain_of(at.cut) &&
                        !(record.name == at.cut) && at.inner.is_subdomain_of(record.name);
    if (!deeper) continue;
    cut = record.name;
    if (targets.size() < targets_max) targets.push_back(server->target);
  }
  if (targets.empty()) return ask_servers();
  for (ResourceRecord const& record : message.additionals) {
    bool const named = std::find(targets.begin(), targets.end(), record.name) != targets.end();
    // Glue counts below the zone that gives it, else a server could speak for other people's names.
    if (named && record.name.is_subdomain_of(at.cut)) add_server(record);
  }
  std::erase_if(targets, [&](Name const& target) {
    return target.is_subdomain_of(at.cut) || !may_look_up(target);
  });
  at.cut = cut;
  at.targets = std::move(targets);
  return ask_servers();
}

// A name in the key's packet as the asker writes it.
Name Chase::presented(Name const& inner) const {
  std::vector<std::string_view> labels;
  inner.for_each_label([&](std::string_view label) { labels.push_back(label); });
  labels.pop_back();  // the key
  place_.apex.for_each_label([&](std::string_view label) { labels.push_back(label); });
  return Name::from_labels(labels).value_or(name_);
}

}  // namespace dotkey::bridge
