// SPDX-License-Identifier: Apache-2.0
#include "core/api/node.h"

#include <algorithm>
#include <utility>

namespace dotkey::api {

using base::ErrorCode;
using base::Result;

Node::Node(Settings const& settings, engine::Entropy& entropy, PacketArchive* archive)
    : settings_(settings),
      entropy_(&entropy),
      archive_(archive),
      cache_(settings.cache, entropy.next_u64()),
      relays_(settings.relay, entropy),
      resolver_(settings.resolve, cache_),
      publisher_(settings.publish, entropy) {
  apply_sources();
}

void Node::set_sources(Sources sources) {
  sources_ = sources;
  apply_sources();
}

Result<void> Node::set_relays(std::vector<std::string> const& urls) {
  auto const set = relays_.set_relays(urls);
  apply_sources();
  return set;
}

void Node::change_settings(Moment now, ChangeableSettings const& settings) {
  cache_.set_entries_max(settings.cache_entries_max);
  publisher_.set_republication(now, settings.republish_interval, settings.republish_to_relays);
}

// A source that cannot answer is not waited for.
void Node::apply_sources() {
  bool const relay = sources_.relay && relays_.has_relays();
  resolver_.set_sources({sources_.dht, relay});
  publisher_.set_sources({sources_.dht, relay});
}

// What was seen in an earlier life is neither asked for again while it is fresh nor gone back
// behind.
void Node::load_from_archive(Moment now, PublicKey const& key) {
  if (archive_ == nullptr) return;
  auto const cached = cache_.peek(key);
  if (cached && (cached->is_packet() || cached->is_fresh(now.unix_time))) return;
  auto const stored = archive_->find(key);
  if (!stored) return;
  cache_.put(stored->packet, now.unix_time, std::min(stored->last_seen, now.unix_time));
}

// A packet that went round the resolver.
void Node::remember(Moment now, SignedPacket const& packet) {
  auto const result = cache_.put(packet, now.unix_time);
  if (result == cache::PutResult::added || result == cache::PutResult::replaced) {
    effects_.push_always(StorePacket{packet, now.unix_time});
  }
}

Result<RequestId> Node::resolve(Moment now, PublicKey const& key, resolve::Options const& options) {
  load_from_archive(now, key);
  auto const question = resolver_.ask(now, key, options);
  if (!question) return tl::make_unexpected(question.error());
  RequestId const id = next_request();
  questions_.emplace(*question, id);
  questions_of_requests_.emplace(id, *question);
  pump(now);
  return id;
}

Result<RequestId> Node::publish(Moment now, SignedPacket const& packet,
                                publish::Options const& options) {
  auto known = newest_known(now, packet.key());
  if (known && known->is_more_recent_than(packet)) {
    RequestId const id = next_request();
    publish::Outcome outcome;
    outcome.error = base::Error(ErrorCode::publish_conflict);
    outcome.theirs = std::move(known);
    effects_.push_always(Published{id, packet, std::move(outcome)});
    return id;
  }
  auto const publication = publisher_.publish(now, packet, options);
  if (!publication) return tl::make_unexpected(publication.error());
  RequestId const id = next_request();
  publications_.emplace(*publication, id);
  pump(now);
  return id;
}

void Node::cancel(Moment now, RequestId id) {
  if (auto const found = questions_of_requests_.find(id); found != questions_of_requests_.end()) {
    resolver_.cancel(found->second);
  } else if (searches_.contains(id)) {
    end_search(id);
  }
  pump(now);
}

Result<void> Node::keep_alive(Moment now, SignedPacket const& packet) {
  remember(now, packet);
  // The one that is known may be newer: it goes before, as one seen on the network would.
  auto const newest = newest_known(now, packet.key());
  auto done = publisher_.keep_alive(now, newest ? *newest : packet);
  pump(now);
  return done;
}

void Node::forget(Moment now, PublicKey const& key) {
  publisher_.forget(key);
  adoptions_.erase(key);
  pump(now);
}

Result<void> Node::add_row(Moment now, base::ByteView row) {
  auto done = publisher_.add_row(now, row);
  pump(now);
  return done;
}

std::optional<SignedPacket> Node::newest_known(Moment now, PublicKey const& key) {
  load_from_archive(now, key);
  auto const cached = cache_.peek(key);
  if (!cached || !cached->is_packet()) return std::nullopt;
  auto packet = SignedPacket::parse_verified(cached->canonical);
  if (!packet) return std::nullopt;
  return std::move(*packet);
}

void Node::on_deadline(Moment now) {
  relays_.on_deadline(now);
  resolver_.on_deadline(now);
  publisher_.on_deadline(now);
  pump(now);
}

// The engines feed each other: until none has anything to say.
void Node::pump(Moment now) {
  bool moved = true;
  while (moved) {
    moved = pump_resolver(now);
    moved = pump_publisher(now) || moved;
    moved = pump_relays(now) || moved;
  }
}

std::optional<Instant> Node::next_deadline() const {
  std::optional<Instant> out;
  for (auto const& deadline :
       {relays_.next_deadline(), resolver_.next_deadline(), publisher_.next_deadline()}) {
    if (deadline && (!out || *deadline < *out)) out = deadline;
  }
  return out;
}

std::vector<KeptKey> Node::kept_alive() const {
  std::vector<KeptKey> out;
  for (publish::ScheduledKey const& scheduled : publisher_.scheduled()) {
    KeptKey kept{scheduled, std::nullopt, {}};
    if (auto const found = adoptions_.find(scheduled.key); found != adoptions_.end()) {
      kept.adopted_timestamp_us = found->second.timestamp_us;
      kept.adopted_at = found->second.at;
    }
    out.push_back(kept);
  }
  return out;
}

Status Node::status() const {
  Status out;
  out.cache_entries = cache_.size();
  out.cache_bytes = cache_.bytes();
  out.cache = cache_.counters();
  out.resolve = resolver_.counters();
  out.lookups = resolver_.lookups();
  out.searches = searches_.size();
  out.puts = publisher_.puts_under_way();
  out.keys_kept_alive = publisher_.scheduled_count();
  return out;
}

}  // namespace dotkey::api
