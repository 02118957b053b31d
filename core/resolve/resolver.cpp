// SPDX-License-Identifier: Apache-2.0
#include "core/resolve/resolver.h"

#include <algorithm>
#include <string>

#include "core/base/assert.h"

namespace dotkey::resolve {

using base::ErrorCode;
using base::Result;

namespace {

Outcome failure(Verdict verdict, base::Error error) {
  Outcome out;
  out.verdict = verdict;
  out.error = std::move(error);
  return out;
}

// The cache's own bytes were verified when they came in.
std::optional<SignedPacket> packet_of(cache::Entry const& entry) {
  auto packet = SignedPacket::parse_verified(entry.canonical);
  if (!packet) return std::nullopt;
  return std::move(*packet);
}

Outcome found_in_cache(SignedPacket packet, cache::Entry const& entry, bool stale) {
  Outcome out;
  out.verdict = Verdict::found;
  out.packet = std::move(packet);
  out.source = Source::cache;
  out.last_seen = entry.last_seen;
  out.stale = stale;
  return out;
}

Outcome found(Finding const& finding) {
  Outcome out;
  out.verdict = Verdict::found;
  out.packet = finding.packet;
  out.source = finding.source;
  out.last_seen = finding.last_seen;
  return out;
}

}  // namespace

Resolver::Resolver(Settings const& settings, cache::PacketCache& cache)
    : settings_(settings), cache_(&cache) {}

Result<QuestionId> Resolver::ask(Moment now, PublicKey const& key, Options const& options) {
  if (questions_.size() >= settings_.questions_max) return base::fail(ErrorCode::resolve_busy);
  ++counters_.questions;
  Sources const sources = options.sources & settings_.sources;
  bool const thorough = options.policy == Policy::newest;
  bool const may_use_cache = options.sources == Sources{};
  bool const room = lookups_.size() < settings_.lookups_max || lookup_for(key, thorough);
  bool revalidate = false;
  std::optional<Outcome> known;
  if (may_use_cache || options.policy == Policy::cache) {
    known = answer_from_cache(now, key, options.policy, revalidate);
  }
  if (!known && !sources.any()) {
    known = failure(Verdict::network_failed, base::Error(ErrorCode::network_no_source));
  }
  if (known) {
    QuestionId const id{++last_question_};
    if (revalidate && room && sources.any()) join(now, key, false, sources);
    effects_.push_always(Answered{id, std::move(*known)});
    return id;
  }
  if (!room) return base::fail(ErrorCode::resolve_busy);

  QuestionId const id{++last_question_};
  Question question;
  question.key = key;
  question.policy = options.policy;
  question.sources = sources;
  question.may_use_cache = may_use_cache;
  question.lookup = join(now, key, thorough, sources);
  question.wakes_at = now.instant + options.timeout.value_or(settings_.question_timeout);
  if (stale_outcome(now, question)) {
    question.wakes_at = std::min(question.wakes_at, now.instant + settings_.stale_answer_delay);
  }
  lookups_.at(question.lookup).waiting.push_back(id);
  question_deadlines_.emplace(question.wakes_at, id);
  questions_.emplace(id, question);
  return id;
}

// `revalidate` says that the answer is stale and the network should be asked for the next one.
std::optional<Outcome> Resolver::answer_from_cache(Moment now, PublicKey const& key, Policy policy,
                                                   bool& revalidate) {
  if (policy == Policy::newest) return std::nullopt;
  auto const entry = cache_->find(key);
  bool const fresh = entry && entry->is_fresh(now.unix_time);
  if (!entry || !entry->is_packet()) {
    if (policy == Policy::cache) {
      return failure(Verdict::not_found, base::Error(ErrorCode::cache_miss));
    }
    if (!fresh) return std::nullopt;
    ++counters_.answered_fresh;
    return failure(Verdict::not_found, base::Error(ErrorCode::resolve_not_found));
  }
  bool const usable = fresh || policy == Policy::cache ||
                      (entry->last_seen <= now.unix_time &&
                       now.unix_time < entry->expires() + settings_.stale_while_revalidate);
  if (!usable) return std::nullopt;
  auto packet = packet_of(*entry);
  if (!packet) return std::nullopt;
  ++(fresh ? counters_.answered_fresh : counters_.answered_stale);
  revalidate = !fresh && policy == Policy::first;
  return found_in_cache(std::move(*packet), *entry, !fresh);
}

// A thorough lookup serves everybody.
std::optional<LookupId> Resolver::lookup_for(PublicKey const& key, bool thorough) const {
  auto at = lookups_of_keys_.find({key, true});
  if (at == lookups_of_keys_.end() && !thorough) at = lookups_of_keys_.find({key, false});
  if (at == lookups_of_keys_.end()) return std::nullopt;
  return at->second;
}

LookupId Resolver::join(Moment now, PublicKey const& key, bool thorough, Sources sources) {
  auto known = lookup_for(key, thorough);
  if (known) {
    ++counters_.joined;
  } else {
    ++counters_.lookups;
    known = LookupId{++last_lookup_};
    Instant const deadline = now.instant + settings_.lookup_timeout;
    lookups_.emplace(*known, Lookup(key, thorough, deadline));
    lookups_of_keys_.emplace(std::pair{key, thorough}, *known);
    lookup_deadlines_.emplace(deadline, *known);
  }
  Lookup& lookup = lookups_.at(*known);
  for (Source const source : network_sources) {
    if (sources.has(source) && !lookup.has_started(source)) start(lookup, *known, source);
  }
  return *known;
}

void Resolver::start(Lookup& lookup, LookupId id, Source source) {
  lookup.start(source);
  StartLookup effect;
  effect.id = id;
  effect.source = source;
  effect.key = lookup.key();
  effect.thorough = lookup.is_thorough();
  auto const entry = cache_->peek(lookup.key());
  if (entry && entry->is_packet()) {
    auto const packet = packet_of(*entry);
    // The DHT shall give the packet itself again, as proof, and any other of the same timestamp.
    if (packet) effect.newer_than_us = packet->timestamp_us() - (source == Source::dht ? 1 : 0);
    if (effect.newer_than_us < 0) effect.newer_than_us.reset();
  }
  effects_.push_always(effect);
}

void Resolver::on_item(Moment now, LookupId id, dht::MutableItem const& item) {
  auto const at = lookups_.find(id);
  if (at == lookups_.end() || !at->second.is_running(Source::dht)) return;
  if (!(item.key == at->second.key()) || !item.salt.empty()) return;
  auto packet = SignedPacket::parse_item(item.key, item.signature, item.sequence, item.value);
  if (!packet) {
    // The node checked the signature, so this is the owner's doing.
    at->second.add_invalid(Source::dht, item.sequence);
    return;
  }
  learn(now, id, {std::move(*packet), now.unix_time, Source::dht});
}

void Resolver::on_packet(Moment now, LookupId id, SignedPacket const& packet, UnixTime last_seen) {
  auto const at = lookups_.find(id);
  if (at == lookups_.end() || !at->second.is_running(Source::relay)) return;
  if (!(packet.key() == at->second.key())) return;
  learn(now, id, {packet, std::min(last_seen, now.unix_time), Source::relay});
}

void Resolver::learn(Moment now, LookupId id, Finding finding) {
  auto const result = cache_->put(finding.packet, now.unix_time, finding.last_seen);
  if (result == cache::PutResult::added || result == cache::PutResult::replaced) {
    effects_.push(PacketLearned{finding.packet, finding.last_seen});
  }
  if (lookups_.at(id).add(std::move(finding))) review(now, id);
}

void Resolver::on_dht_finished(Moment now, LookupId id, dht::Outcome const& outcome) {
  if (outcome.item) on_item(now, id, *outcome.item);
  end_source(now, id, Source::dht, end_of(outcome));
}

void Resolver::on_relays_finished(Moment now, LookupId id, relay::Outcome const& outcome) {
  auto const at = lookups_.find(id);
  if (at != lookups_.end() && outcome.invalid_timestamp) {
    at->second.add_invalid(Source::relay, *outcome.invalid_timestamp);
  }
  if (outcome.packet) on_packet(now, id, *outcome.packet, outcome.last_seen);
  end_source(now, id, Source::relay, end_of(outcome));
}

void Resolver::on_not_started(Moment now, LookupId id, Source source, ErrorCode error) {
  end_source(now, id, source, {false, false, error});
}

void Resolver::end_source(Moment now, LookupId id, Source source, SourceEnd const& end) {
  auto const at = lookups_.find(id);
  if (at == lookups_.end() || !at->second.is_running(source)) return;
  Lookup& lookup = at->second;
  lookup.end(source, end);
  if (end.confirmed) cache_->refresh(lookup.key(), now.unix_time);
  review(now, id);
  if (lookup.has_ended({})) finish(now, id);
}

// Answers everybody whose answer has become certain.
void Resolver::review(Moment now, LookupId id) {
  Lookup& lookup = lookups_.at(id);
  std::erase_if(lookup.waiting, [&](QuestionId const waiting) {
    Question const& question = questions_.at(waiting);
    auto outcome = early_outcome(now, question, lookup);
    if (!outcome && lookup.has_ended(question.sources)) {
      outcome = final_outcome(now, question, lookup);
    }
    if (!outcome) return false;
    answer(waiting, std::move(*outcome));
    return true;
  });
}

void Resolver::finish(Moment now, LookupId id) {
  auto const node = lookups_.extract(id);
  Lookup const& lookup = node.mapped();
  DOTKEY_ASSERT(lookup.waiting.empty());
  lookups_of_keys_.erase({lookup.key(), lookup.is_thorough()});
  lookup_deadlines_.erase({lookup.deadline(), id});
  bool const nothing = lookup.newest({}) == nullptr && lookup.invalid_timestamp({}) < 0;
  if (nothing && lookup.is_not_found({})) cache_->put_not_found(lookup.key(), now.unix_time);
}

// Policy::first is content with the first packet that is neither older than the cached one nor, by
// the relay's own word, expired.
std::optional<Outcome> Resolver::early_outcome(Moment now, Question const& question,
                                               Lookup const& lookup) const {
  if (question.policy != Policy::first) return std::nullopt;
  auto const entry = cache_->peek(question.key);
  bool const is_packet = question.may_use_cache && entry && entry->is_packet();
  if (Finding const* const finding = lookup.newest(question.sources)) {
    cache::Settings const& bounds = cache_->settings();
    bool const fresh = finding->packet.expires_us(finding->last_seen.us, bounds.ttl_min_s,
                                                  bounds.ttl_max_s) > now.unix_time.us;
    bool const newest_known =
        !is_packet || base::equal(entry->canonical, finding->packet.canonical());
    if (fresh && newest_known) return found(*finding);
  }
  if (is_packet && lookup.is_confirmed(question.sources)) return cached_outcome(now, question);
  return std::nullopt;
}

std::optional<Outcome> Resolver::cached_outcome(Moment now, Question const& question) const {
  if (!question.may_use_cache) return std::nullopt;
  auto const entry = cache_->peek(question.key);
  if (!entry || !entry->is_packet()) return std::nullopt;
  auto packet = packet_of(*entry);
  if (!packet) return std::nullopt;
  return found_in_cache(std::move(*packet), *entry, !entry->is_fresh(now.unix_time));
}

// What Policy::first falls back on.
std::optional<Outcome> Resolver::stale_outcome(Moment now, Question const& question) const {
  if (question.policy != Policy::first) return std::nullopt;
  auto out = cached_outcome(now, question);
  if (!out || !out->stale) return out;
  UnixTime const expires = cache_->peek(question.key)->expires();
  if (now.unix_time >= expires + settings_.stale_if_error) return std::nullopt;
  return out;
}

// Every source of the question has ended, or its time is up.
Outcome Resolver::final_outcome(Moment now, Question const& question, Lookup const& lookup) const {
  Finding const* const finding = lookup.newest(question.sources);
  auto cached = cached_outcome(now, question);
  std::int64_t best_us = finding != nullptr ? finding->packet.timestamp_us() : -1;
  if (cached) best_us = std::max(best_us, cached->packet->timestamp_us());
  // What the DHT holds was signed by the owner; a relay's word is not, and counts only alone.
  Sources believed = question.sources;
  if (best_us >= 0) believed.relay = false;
  std::int64_t const invalid_us = lookup.invalid_timestamp(believed);
  if (invalid_us > best_us) {
    Outcome out = failure(Verdict::invalid, base::Error(ErrorCode::resolve_invalid_packet,
                                                        "timestamp " + std::to_string(invalid_us)));
    out.invalid_timestamp = invalid_us;
    return out;
  }
  if (finding != nullptr && cached && cached->packet->is_more_recent_than(finding->packet)) {
    return std::move(*cached);
  }
  if (finding != nullptr) return found(*finding);
  if (cached && lookup.is_confirmed(question.sources)) return std::move(*cached);
  if (auto stale = stale_outcome(now, question)) return std::move(*stale);
  if (lookup.is_not_found(question.sources)) {
    return failure(Verdict::not_found, base::Error(ErrorCode::resolve_not_found));
  }
  if (!lookup.has_ended(question.sources)) {
    return failure(Verdict::network_failed, base::Error(ErrorCode::resolve_timeout));
  }
  return failure(Verdict::network_failed, lookup.error(question.sources));
}

void Resolver::answer(QuestionId id, Outcome outcome) {
  auto const node = questions_.extract(id);
  question_deadlines_.erase({node.mapped().wakes_at, id});
  if (outcome.stale) ++counters_.answered_stale;
  effects_.push_always(Answered{id, std::move(outcome)});
}

void Resolver::cancel(QuestionId id) {
  auto const at = questions_.find(id);
  if (at == questions_.end()) return;
  std::erase(lookups_.at(at->second.lookup).waiting, id);
  answer(id, failure(Verdict::network_failed, base::Error(ErrorCode::cancelled)));
}

void Resolver::on_deadline(Moment now) {
  while (!question_deadlines_.empty() && question_deadlines_.begin()->first <= now.instant) {
    QuestionId const id = question_deadlines_.begin()->second;
    Question const& question = questions_.at(id);
    Lookup& lookup = lookups_.at(question.lookup);
    Outcome outcome = final_outcome(now, question, lookup);
    std::erase(lookup.waiting, id);
    answer(id, std::move(outcome));
  }
  while (!lookup_deadlines_.empty() && lookup_deadlines_.begin()->first <= now.instant) {
    LookupId const id = lookup_deadlines_.begin()->second;
    for (Source const source : network_sources) {
      auto const at = lookups_.find(id);
      if (at == lookups_.end() || !at->second.is_running(source)) continue;
      effects_.push_always(StopLookup{id, source});
      end_source(now, id, source, {false, false, ErrorCode::resolve_timeout});
    }
  }
}

std::optional<Instant> Resolver::next_deadline() const {
  std::optional<Instant> out;
  if (!question_deadlines_.empty()) out = question_deadlines_.begin()->first;
  if (!lookup_deadlines_.empty() && (!out || lookup_deadlines_.begin()->first < *out)) {
    out = lookup_deadlines_.begin()->first;
  }
  return out;
}

relay::ResolveAnswer answer_for_relay(Outcome const& outcome) {
  relay::ResolveAnswer out;
  switch (outcome.verdict) {
    case Verdict::found:
      out.verdict = relay::ResolveVerdict::found;
      out.packet = outcome.packet;
      out.last_seen = outcome.last_seen;
      break;
    case Verdict::not_found:
      out.verdict = relay::ResolveVerdict::not_found;
      break;
    case Verdict::invalid:
      out.verdict = relay::ResolveVerdict::invalid_packet;
      out.invalid_timestamp = outcome.invalid_timestamp;
      break;
    case Verdict::network_failed: {
      ErrorCode const code = outcome.error->code;
      bool const nobody = code == ErrorCode::network_no_source || code == ErrorCode::dht_no_nodes;
      out.verdict = nobody ? relay::ResolveVerdict::no_nodes : relay::ResolveVerdict::no_responses;
      break;
    }
  }
  return out;
}

Policy policy_of(relay::Policy policy) {
  switch (policy) {
    case relay::Policy::cache_only:
      return Policy::cache;
    case relay::Policy::cache_first:
      return Policy::first;
    case relay::Policy::network_only:
      return Policy::newest;
  }
  return Policy::first;
}

}  // namespace dotkey::resolve
