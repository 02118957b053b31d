// SPDX-License-Identifier: Apache-2.0
// The publisher's other half: keys that are kept alive.
#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/publish/publisher.h"

namespace dotkey::publish {

using base::ErrorCode;
using base::Result;

Duration Publisher::jittered_interval() {
  Duration const tenth = settings_.interval / 10;
  auto const spread_ms = static_cast<std::uint32_t>(tenth.ms() * 2 + 1);
  return settings_.interval - tenth + Duration::from_ms(entropy_->below(spread_ms));
}

Duration Publisher::delay_after(std::uint32_t failures) const {
  std::uint32_t const doublings = std::min<std::uint32_t>(failures, 16);
  return std::min(settings_.failure_delay * (std::int64_t{1} << doublings), settings_.interval);
}

Sources Publisher::republish_sources() const {
  if (!settings_.republish) return {false, false};
  Sources out = settings_.sources;
  if (out.dht && !settings_.republish_to_relays) out.relay = false;
  return out;
}

void Publisher::set_republication(Moment now, Duration interval, bool to_relays) {
  DOTKEY_ASSERT(interval.us > 0);
  now_ = now;
  settings_.interval = interval;
  settings_.republish_to_relays = to_relays;
  draw_distant_anew(now);
}

void Publisher::save(PublicKey const& key, ScheduleEntry const& entry) {
  effects_.push_always(SaveRow{key, encode_row(entry)});
}

// After a publication: the packet is in the network as of now.
void Publisher::upsert(Moment now, SignedPacket const& packet, std::uint32_t dht_nodes) {
  PublicKey const key = packet.key();
  ScheduleEntry const* const known = schedule_.find(key);
  if (known == nullptr && schedule_.size() >= settings_.keys_max) return;
  if (known != nullptr && known->timestamp_us() > packet.timestamp_us()) return;
  ScheduleEntry entry;
  entry.canonical = base::to_bytes(packet.canonical());
  entry.due = now.unix_time + jittered_interval();
  entry.stored_at = now.unix_time;
  entry.dht_nodes = dht_nodes;
  save(key, entry);
  schedule_.set(key, std::move(entry));
}

Result<void> Publisher::keep_alive(Moment now, SignedPacket const& packet) {
  now_ = now;
  PublicKey const key = packet.key();
  if (schedule_.find(key) != nullptr) {
    on_packet_seen(now, packet);
    return {};
  }
  if (schedule_.size() >= settings_.keys_max) return base::fail(ErrorCode::publish_busy);
  ScheduleEntry entry;
  entry.canonical = base::to_bytes(packet.canonical());
  // Nobody knows when it was published last: its first turn comes soon, but not with all others.
  auto const spread_ms = static_cast<std::uint32_t>((settings_.interval / 10).ms() + 1);
  entry.due = now.unix_time + Duration::from_ms(entropy_->below(spread_ms));
  save(key, entry);
  schedule_.set(key, std::move(entry));
  return {};
}

void Publisher::forget(PublicKey const& key) {
  if (schedule_.find(key) == nullptr) return;
  schedule_.erase(key);
  effects_.push_always(DropRow{key});
}

Result<void> Publisher::add_row(Moment now, ByteView row) {
  now_ = now;
  auto entry = parse_row(row);
  if (!entry) return tl::unexpected(entry.error());
  PublicKey const key = *PublicKey::from(ByteView(entry->canonical).first(PublicKey::size));
  ScheduleEntry const* const known = schedule_.find(key);
  if (known != nullptr && known->timestamp_us() >= entry->timestamp_us()) return {};
  if (known == nullptr && schedule_.size() >= settings_.keys_max) {
    return base::fail(ErrorCode::publish_busy);
  }
  schedule_.set(key, std::move(*entry));
  return {};
}

void Publisher::on_packet_seen(Moment now, SignedPacket const& packet) {
  now_ = now;
  PublicKey const key = packet.key();
  ScheduleEntry const* const known = schedule_.find(key);
  if (known == nullptr) return;
  auto const mine = SignedPacket::parse_verified(known->canonical);
  if (mine && !packet.is_more_recent_than(*mine)) return;
  ScheduleEntry entry = *known;
  entry.canonical = base::to_bytes(packet.canonical());
  save(key, entry);
  schedule_.set(key, std::move(entry));
  effects_.push_always(Adopted{packet});
}

// After a clock was set back, or the interval was, keys would die before their turn.
void Publisher::draw_distant_anew(Moment now) {
  Duration const distance_max = settings_.interval * 2;
  auto const last = schedule_.last_due();
  if (!last || *last - now.unix_time <= distance_max) return;
  for (ScheduledKey const& scheduled : schedule_.list()) {
    ScheduleEntry entry = *schedule_.find(scheduled.key);
    if (entry.under_way || entry.due - now.unix_time <= distance_max) continue;
    auto const spread_ms = static_cast<std::uint32_t>(settings_.interval.ms() + 1);
    entry.due = now.unix_time + Duration::from_ms(entropy_->below(spread_ms));
    schedule_.set(scheduled.key, std::move(entry));
  }
}

// One start a time, with a pause, however many are due: after a long sleep the network must not
// notice.
void Publisher::start_due(Moment now) {
  Sources const sources = republish_sources();
  if (!sources.any() || now.instant < next_start_ ||
      republications_ >= settings_.republish_parallel_max) {
    return;
  }
  auto const key = schedule_.take_due(now.unix_time);
  if (!key) return;
  ScheduleEntry const& entry = *schedule_.find(*key);
  auto const packet = SignedPacket::parse_verified(entry.canonical);
  if (!packet) {
    schedule_.erase(*key);
    effects_.push_always(DropRow{*key});
    return;
  }
  next_start_ = now.instant + settings_.republish_spacing;
  ++republications_;
  start_put(now, *packet, {}, sources, std::nullopt);
}

void Publisher::end_republication(Moment now, Attempt const& attempt) {
  --republications_;
  PublicKey const key = attempt.packet().key();
  ScheduleEntry const* const known = schedule_.find(key);
  // Forgotten meanwhile; perhaps even scheduled anew.
  if (known == nullptr || !known->under_way) return;
  ScheduleEntry entry = *known;
  auto const& theirs = attempt.theirs();
  if (theirs && theirs->timestamp_us() >= entry.timestamp_us() &&
      !base::equal(theirs->canonical(), entry.canonical)) {
    // Another device has published: its packet is the one to keep alive.
    entry.canonical = base::to_bytes(theirs->canonical());
    effects_.push_always(Adopted{*theirs});
  }
  if (attempt.is_stored() || attempt.is_conflict()) {
    // In the network either way, ours or theirs.
    entry.stored_at = now.unix_time;
    entry.dht_nodes = attempt.dht_nodes();
    entry.failures = 0;
    entry.due = now.unix_time + jittered_interval();
  } else {
    entry.due = now.unix_time + delay_after(entry.failures++);
  }
  save(key, entry);
  schedule_.put_back(key, std::move(entry));
}

}  // namespace dotkey::publish
