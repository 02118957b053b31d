// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/chase.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/bridge/records.h"
#include "core/names/hostname.h"
#include "core/record/signed_packet.h"

namespace dotkey::bridge {

namespace dns = wire::dns;
using dns::Name;
using dns::RecordType;
using dns::ResourceRecord;
using dns::ResponseCode;

namespace {

// Names on one way; unbound goes to 11, pkdns to 15.
constexpr std::size_t names_max = 12;
constexpr std::size_t answers_max = 512;
// RFC 8767 §4; the question is asked again well before.
constexpr std::uint32_t stale_ttl_s = 30;
constexpr std::uint32_t stale_lifetime_s = 2;
constexpr std::uint32_t top_level_serial = 1;
// RFC 2308 §5 bounds what others say about how long nothing is there.
constexpr std::uint32_t negative_ttl_max_s = 3600;

std::uint32_t serial_of(record::SignedPacket const& packet) {
  return static_cast<std::uint32_t>(packet.timestamp_us() / 1'000'000);
}

std::string slug_of(base::Error const& error) {
  return std::string(base::slug_of(error.code));
}

Name const& target_of(ResourceRecord const& alias) {
  return std::get<dns::Cname>(alias.data).target;
}

}  // namespace

Chase::Chase(ChaseRules const& rules, Name asked, RecordType type, Signatures signatures)
    : rules_(rules),
      type_(type),
      signatures_(signatures),
      name_(std::move(asked)),
      lifetime_s_(rules.ttl_max_s) {
  reply_.response = true;
  reply_.questions.push_back({name_, type_, dns::RecordClass::in});
}

ChaseStep Chase::start() {
  place_ = classify(name_);
  reply_.authoritative = place_.place != Place::elsewhere;
  if (place_.place == Place::key) asked_key_ = place_.key;
  return visit();
}

// What the place where the chase stands takes.
ChaseStep Chase::visit() {
  place_ = classify(name_);
  if (rules_.local && rules_.local->is_denied(name_)) return deny();
  switch (place_.place) {
    case Place::key:
      waiting_ = Waiting::key;
      return WantKey{place_.key};
    case Place::elsewhere:
      return visit_elsewhere();
    case Place::top_level:
    case Place::malformed:
      break;
  }
  bool const exists = place_.place == Place::top_level;
  Name apex = place_.has_top_level ? top_level_of(name_) : name_;
  return end_negative(exists ? ResponseCode::no_error : ResponseCode::name_error,
                      soa_record(std::move(apex), top_level_serial, rules_.negative_ttl_s));
}

ChaseStep Chase::visit_elsewhere() {
  if (Zone const* const zone = rules_.local ? rules_.local->zone_of(name_) : nullptr) {
    ZoneAnswer const found = zone->find(name_, type_);
    // What the zone gives away, its servers are asked for by the upstream.
    if (found.verdict != ZoneVerdict::delegation) return read_zone(*zone, found);
  }
  waiting_ = Waiting::upstream;
  return WantUpstream{name_, type_};
}

ChaseStep Chase::deny() {
  extended_error_ = ExtendedError::blocked;
  return end_negative(ResponseCode::name_error,
                      soa_record(name_, top_level_serial, rules_.negative_ttl_s));
}

// The operator's own records may lead anywhere.
ChaseStep Chase::read_zone(Zone const& zone, ZoneAnswer const& found) {
  if (visited_.empty()) reply_.authoritative = true;
  for (ResourceRecord const* const source : found.records) {
    reply_.answers.push_back(*source);
    reply_.answers.back().name = name_;
    keep_for(source->ttl_s);
  }
  if (found.verdict == ZoneVerdict::records) return Done{};
  if (found.verdict == ZoneVerdict::alias) return follow(target_of(*found.records.front()));
  ResourceRecord soa = soa_record(zone.apex(), top_level_serial, rules_.negative_ttl_s);
  if (auto const* const own = zone.soa(); own != nullptr) soa.data = own->data;
  bool const exists = found.verdict == ZoneVerdict::no_data;
  return end_negative(exists ? ResponseCode::no_error : ResponseCode::name_error, std::move(soa));
}

ChaseStep Chase::on_outcome(Moment now, resolve::Outcome const& outcome) {
  if (waiting_ == Waiting::server_key) return read_server_packet(outcome);
  DOTKEY_ASSERT(waiting_ == Waiting::key);
  using resolve::Verdict;
  switch (outcome.verdict) {
    case Verdict::network_failed:
      return fail(ExtendedError::network_error, slug_of(*outcome.error));
    case Verdict::invalid:
      return fail(ExtendedError::invalid_data, slug_of(*outcome.error));
    case Verdict::not_found: {
      Name apex = place_.has_top_level ? top_level_of(name_) : place_.apex;
      return end_negative(ResponseCode::name_error,
                          soa_record(std::move(apex), top_level_serial, rules_.negative_ttl_s));
    }
    case Verdict::found:
      break;
  }
  return read_packet(now, outcome);
}

ChaseStep Chase::on_message(base::Result<dns::Message> const& message) {
  if (waiting_ == Waiting::server_address) return read_server_address(message);
  if (waiting_ == Waiting::servers) return read_server_answer(message);
  DOTKEY_ASSERT(waiting_ == Waiting::upstream);
  if (message) return read_upstream(*message);
  bool const refused = message.error().code == base::ErrorCode::dns_no_upstream;
  if (refused && reply_.answers.empty()) {
    reply_.code = ResponseCode::refused;
    extended_error_ = ExtendedError::not_supported;
    extended_text_ = slug_of(message.error());
    return Done{};
  }
  return fail(ExtendedError::no_reachable_authority, slug_of(message.error()));
}

ChaseStep Chase::on_timeout() {
  return fail(ExtendedError::no_reachable_authority,
              std::string(base::slug_of(base::ErrorCode::resolve_timeout)));
}

ChaseStep Chase::read_packet(Moment now, resolve::Outcome const& outcome) {
  record::SignedPacket const& packet = *outcome.packet;
  stale_ = outcome.stale;
  age_s_ = outcome.age_s(now.unix_time);
  std::int64_t const fresh_us =
      packet.expires_us(outcome.last_seen.us, rules_.ttl_min_s, rules_.ttl_max_s) -
      now.unix_time.us;
  if (stale_) extended_error_ = ExtendedError::stale_answer;
  keep_for(stale_ ? stale_lifetime_s
                  : static_cast<std::uint32_t>(
                        std::clamp<std::int64_t>(fresh_us / 1'000'000, 1, rules_.ttl_max_s)));

  Zone const zone(record::origin_of(place_.key), packet.records(), ApexServers::delegate);
  ZoneAnswer const found = zone.find(place_.inner, type_);
  if (found.verdict == ZoneVerdict::delegation) return delegate(zone, found);
  if (found.verdict == ZoneVerdict::records || found.verdict == ZoneVerdict::alias) {
    for (ResourceRecord const* const source : found.records) {
      ResourceRecord record = *source;
      record.name = name_;
      if (place_.has_top_level) add_top_level(record.data);
      add(std::move(record), ttl_left_s(source->ttl_s));
    }
    if (found.verdict == ZoneVerdict::records) return end_found();
    Name const target = target_of(*found.records.front());
    return follow(place_.has_top_level ? add_top_level(target) : target);
  }
  bool const exists = found.verdict == ZoneVerdict::no_data;
  ResourceRecord soa = soa_record(place_.apex, serial_of(packet), rules_.negative_ttl_s);
  if (auto const* const own = zone.soa(); own != nullptr) soa.data = own->data;
  return end_negative(exists ? ResponseCode::no_error : ResponseCode::name_error, std::move(soa));
}

// Adds to the answer what may be told. `ttl_s` is what is left.
void Chase::add(ResourceRecord record, std::uint32_t ttl_s) {
  if (reply_.answers.size() >= answers_max) return;
  if (!keep_allowed(record.data, local_network())) {
    filtered_ = true;
    return;
  }
  record.ttl_s = ttl_s;
  keep_for(ttl_s);
  reply_.answers.push_back(std::move(record));
}

ChaseStep Chase::follow(Name target) {
  visited_.push_back(name_);
  bool const loops = std::find(visited_.begin(), visited_.end(), target) != visited_.end();
  if (loops || visited_.size() >= names_max) {
    return fail(ExtendedError::invalid_data,
                std::string(base::slug_of(base::ErrorCode::dns_alias_loop)));
  }
  name_ = std::move(target);
  return visit();
}

// Records were found at the last name; all of them may have been taken out.
ChaseStep Chase::end_found() {
  if (!filtered_) return Done{};
  extended_error_ = ExtendedError::filtered;
  extended_text_ = std::string(base::slug_of(base::ErrorCode::dns_address_refused));
  bool const any = std::any_of(reply_.answers.begin(), reply_.answers.end(),
                               [this](ResourceRecord const& r) { return r.type == type_; });
  if (any) return Done{};
  Name apex = place_.place == Place::key ? place_.apex : name_;
  return end_negative(ResponseCode::no_error,
                      soa_record(std::move(apex), top_level_serial, rules_.negative_ttl_s));
}

ChaseStep Chase::end_negative(ResponseCode code, ResourceRecord soa) {
  reply_.code = code;
  keep_for(std::min(soa.ttl_s, rules_.negative_ttl_s));
  soa.ttl_s = lifetime_s_;
  reply_.authorities.push_back(std::move(soa));
  return Done{};
}

ChaseStep Chase::fail(ExtendedError error, std::string text) {
  reply_.code = ResponseCode::server_failure;
  reply_.authoritative = false;
  reply_.answers.clear();
  reply_.authorities.clear();
  extended_error_ = error;
  extended_text_ = std::move(text);
  lifetime_s_ = rules_.failure_ttl_s;
  return Done{};
}

ChaseStep Chase::read_upstream(dns::Message const& message) {
  // Records count for nothing then, and the code itself may not fit our header.
  if (!is_final(message)) {
    return fail(ExtendedError::no_reachable_authority,
                std::string(base::slug_of(base::ErrorCode::dns_upstream_failed)));
  }
  AnswerSection const section = select_answers(message, name_, type_, signatures_);
  for (ResourceRecord const* const record : section.records) {
    add(*record, std::min(record->ttl_s, rules_.ttl_max_s));
  }
  // An ICANN name may lead to a key: no one but us can go on from there.
  bool const leads_to_us = !section.complete && !(section.last == name_) &&
                           classify(section.last).place != Place::elsewhere;
  if (leads_to_us) {
    for (ResourceRecord const* const record : section.records) visited_.push_back(record->name);
    return follow(section.last);
  }
  if (section.complete) {
    reply_.code = message.code;
    return end_found();
  }
  name_ = section.last;
  return end_as_said(message);
}

// A negative answer, as the upstream gave it.
ChaseStep Chase::end_as_said(dns::Message const& message) {
  reply_.code = message.code;
  ResourceRecord const* const soa = negative_soa(message, name_);
  if (soa == nullptr) {
    keep_for(rules_.failure_ttl_s);
    return Done{};
  }
  std::uint32_t const ttl_s = std::min(soa->ttl_s, std::get<dns::Soa>(soa->data).minimum_s);
  keep_for(std::min(ttl_s, negative_ttl_max_s));
  reply_.authorities.push_back(*soa);
  reply_.authorities.back().ttl_s = lifetime_s_;
  return Done{};
}

Answer Chase::take_answer(Instant now) {
  auto made = Answer::from(reply_, now);
  Answer out = made ? std::move(*made) : Answer::of_code(ResponseCode::server_failure);
  out.extended_error = extended_error_;
  out.extended_text = std::move(extended_text_);
  out.born = now;
  out.expires = now + Duration::from_s(lifetime_s_);
  return out;
}

// The user's word is for the key asked for, not for those that it leads to.
resolve::LocalNetwork Chase::local_network() const {
  using resolve::LocalNetwork;
  if (rules_.local_network == LocalNetwork::allowed) return LocalNetwork::allowed;
  bool const own = asked_key_ && (place_.place != Place::key || place_.key == *asked_key_);
  bool const allowed = own && rules_.local_keys.contains(*asked_key_);
  return allowed ? LocalNetwork::allowed : LocalNetwork::refused;
}

std::uint32_t Chase::ttl_left_s(std::uint32_t ttl_s) const {
  if (stale_) return stale_ttl_s;
  std::uint32_t const believed_s = std::clamp(ttl_s, rules_.ttl_min_s, rules_.ttl_max_s);
  return believed_s > age_s_ ? believed_s - age_s_ : 1;
}

void Chase::keep_for(std::uint32_t seconds) {
  lifetime_s_ = std::min(lifetime_s_, seconds);
}

}  // namespace dotkey::bridge
