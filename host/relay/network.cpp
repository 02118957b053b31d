// SPDX-License-Identifier: Apache-2.0
#include "host/relay/network.h"

#include <algorithm>
#include <utility>

#include "host/loop/clock.h"

namespace dotkey::host::relay {

using base::ErrorCode;
using dotkey::relay::Policy;
using dotkey::relay::PublishAnswer;
using dotkey::relay::PublishVerdict;
using dotkey::relay::ResolveAnswer;
using dotkey::relay::ResolveVerdict;
using record::SignedPacket;

namespace {

ResolveVerdict verdict_of(ErrorCode error) {
  switch (error) {
    case ErrorCode::dht_not_found:
      return ResolveVerdict::not_found;
    case ErrorCode::dht_no_nodes:
      return ResolveVerdict::no_nodes;
    case ErrorCode::dht_no_responses:
      return ResolveVerdict::no_responses;
    default:
      return ResolveVerdict::no_usable_responses;
  }
}

PublishVerdict verdict_of(dht::Outcome const& put) {
  if (!put.error) return PublishVerdict::stored;
  if (*put.error == ErrorCode::dht_newer_exists) return PublishVerdict::newer_exists;
  if (*put.error == ErrorCode::dht_cas_mismatch) return PublishVerdict::cas_mismatch;
  return PublishVerdict::failed;
}

ResolveAnswer found(SignedPacket const& packet) {
  ResolveAnswer out;
  out.verdict = ResolveVerdict::found;
  out.packet = packet;
  out.last_seen = loop::unix_now();
  return out;
}

}  // namespace

Network::Network(loop::NodeDriver* driver, SharedCache& cache, store::PacketStore& store)
    : driver_(driver), cache_(cache), store_(store) {}

void Network::resolve(crypto::PublicKey const& key, Policy policy, OnResolved on_resolved) {
  ResolveAnswer answer;
  if (driver_ == nullptr) return on_resolved(answer);
  std::int64_t floor_us = -1;
  bool const known_missing = cache_.with(key, [&](cache::PacketCache& cache) {
    auto const entry = cache.peek(key);
    if (!entry) return false;
    if (!entry->is_packet()) return entry->is_fresh(loop::unix_now());
    floor_us = record::timestamp_us_of(entry->canonical);
    return false;
  });
  if (known_missing && policy != Policy::network_only) return on_resolved(answer);

  auto const [at, is_new] = lookups_.try_emplace(key);
  auto& waiters = policy == Policy::network_only ? at->second.patient : at->second.impatient;
  waiters.push_back(std::move(on_resolved));
  if (!is_new) {
    if (policy != Policy::network_only && at->second.best) {
      auto const waiter = std::move(waiters.back());
      waiters.pop_back();
      waiter(found(*at->second.best));
    }
    return;
  }
  at->second.floor_us = floor_us;
  dht::GetOptions options;
  if (floor_us > 0) options.newer_than = floor_us - 1;
  loop::OperationWatcher watcher;
  watcher.on_item = [this, key](dht::MutableItem const& item) { on_item(key, item); };
  watcher.on_finished = [this, key](dht::Outcome const& outcome) { on_finished(key, outcome); };
  auto const started = driver_->start(
      [&](dht::Node& node, engine::Instant now) { return node.get_mutable(now, key, {}, options); },
      std::move(watcher));
  if (started) return;
  dht::Outcome outcome;
  outcome.error = started.error().code;
  on_finished(key, outcome);
}

void Network::on_item(crypto::PublicKey const& key, dht::MutableItem const& item) {
  auto const at = lookups_.find(key);
  if (at == lookups_.end()) return;
  Lookup& lookup = at->second;
  auto packet = SignedPacket::parse_item(key, item.signature, item.sequence, item.value);
  if (!packet) {
    lookup.invalid_timestamp = std::max(lookup.invalid_timestamp.value_or(-1), item.sequence);
    return;
  }
  if (packet->timestamp_us() < lookup.floor_us) return;
  if (lookup.best && !packet->is_more_recent_than(*lookup.best)) return;
  lookup.best = std::move(*packet);
  engine::UnixTime const now = loop::unix_now();
  cache_.with(key, [&](cache::PacketCache& cache) { return cache.put(*lookup.best, now); });
  store_.put(*lookup.best, now, nullptr);
  auto const waiters = std::exchange(lookup.impatient, {});
  ResolveAnswer const answer = found(*lookup.best);
  for (auto const& waiter : waiters) waiter(answer);
}

void Network::on_finished(crypto::PublicKey const& key, dht::Outcome const& outcome) {
  auto entry = lookups_.extract(key);
  if (entry.empty()) return;
  Lookup& lookup = entry.mapped();
  ResolveAnswer answer;
  bool const invalid_is_newest =
      lookup.invalid_timestamp &&
      (!lookup.best || *lookup.invalid_timestamp > lookup.best->timestamp_us());
  if (invalid_is_newest) {
    answer.verdict = ResolveVerdict::invalid_packet;
    answer.invalid_timestamp = *lookup.invalid_timestamp;
  } else if (lookup.best) {
    answer = found(*lookup.best);
  } else {
    answer.verdict = outcome.error ? verdict_of(*outcome.error) : ResolveVerdict::not_found;
  }
  if (answer.verdict == ResolveVerdict::not_found) {
    cache_.with(key,
                [&](cache::PacketCache& cache) { cache.put_not_found(key, loop::unix_now()); });
  }
  for (auto const& waiter : lookup.impatient) waiter(answer);
  for (auto const& waiter : lookup.patient) waiter(answer);
}

void Network::publish(SignedPacket const& packet, std::optional<std::int64_t> cas_us,
                      OnPublished on_published) {
  dht::MutableItem const item{
      packet.key(), {}, packet.timestamp_us(), packet.item_value(), packet.signature()};
  dht::PutOptions options;
  options.cas = cas_us;
  loop::OperationWatcher watcher;
  watcher.on_finished = [on_published](dht::Outcome const& outcome) {
    on_published({verdict_of(outcome), outcome.stored});
  };
  auto const started = driver_->start(
      [&](dht::Node& node, engine::Instant now) { return node.put_mutable(now, item, options); },
      std::move(watcher));
  if (!started) on_published(PublishAnswer{});
}

}  // namespace dotkey::host::relay
