// SPDX-License-Identifier: Apache-2.0
#include "core/cache/packet_cache.h"

#include <algorithm>
#include <limits>

#include "core/base/assert.h"

namespace dotkey::cache {
namespace {

using record::SignedPacket;

constexpr std::size_t key_size = PublicKey::size;
// What a clock may be ahead of another without anybody having set it back.
constexpr Duration clock_tolerance = Duration::from_s(60);
// A slot, its share of the index, and what the allocator adds.
constexpr std::uint64_t entry_overhead = 64;

}  // namespace

bool Entry::is_fresh(UnixTime now) const {
  return now < expires() && last_seen - now <= clock_tolerance;
}

std::uint32_t Entry::age_s(UnixTime now) const {
  std::int64_t const age = (now - last_seen).us / 1'000'000;
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(age, 0, std::numeric_limits<std::uint32_t>::max()));
}

std::uint32_t Entry::remaining_ttl_s(UnixTime now) const {
  if (!is_fresh(now)) return 0;
  auto const left = static_cast<std::uint32_t>((expires() - now).us / 1'000'000);
  return std::min(left, ttl_s);
}

PacketCache::PacketCache(Settings const& settings, std::uint64_t hash_key)
    : settings_(settings), hash_key_(hash_key), buckets_(64, none) {
  DOTKEY_ASSERT(settings_.entries_max > 0 && settings_.entries_max < none / 2);
  DOTKEY_ASSERT(settings_.ttl_min_s <= settings_.ttl_max_s);
}

Entry PacketCache::entry_of(Slot const& slot) {
  Entry out;
  if (slot.size > key_size) out.canonical = {slot.data.get(), slot.size};
  out.last_seen = slot.last_seen;
  out.ttl_s = slot.ttl_s;
  return out;
}

std::uint64_t PacketCache::cost_of(std::size_t size) {
  return size + entry_overhead;
}

std::size_t PacketCache::bucket_of(PublicKey const& key) const {
  return static_cast<std::size_t>(base::hash_of(key, hash_key_)) & (buckets_.size() - 1);
}

bool PacketCache::holds(Slot const& slot, PublicKey const& key) {
  return base::equal({slot.data.get(), key_size}, key.view());
}

std::uint32_t PacketCache::index_of(PublicKey const& key) const {
  std::size_t at = bucket_of(key);
  while (buckets_[at] != none) {
    if (holds(slot(buckets_[at]), key)) return buckets_[at];
    at = (at + 1) & (buckets_.size() - 1);
  }
  return none;
}

void PacketCache::index(std::uint32_t at) {
  std::size_t bucket = bucket_of(*PublicKey::from({slot(at).data.get(), key_size}));
  while (buckets_[bucket] != none) bucket = (bucket + 1) & (buckets_.size() - 1);
  buckets_[bucket] = at;
}

// Moves the entries behind the gap forward, so that no probe ends too early.
void PacketCache::unindex(std::uint32_t at) {
  std::size_t const mask = buckets_.size() - 1;
  std::size_t gap = bucket_of(*PublicKey::from({slot(at).data.get(), key_size}));
  while (buckets_[gap] != at) gap = (gap + 1) & mask;
  for (std::size_t next = (gap + 1) & mask; buckets_[next] != none; next = (next + 1) & mask) {
    std::size_t const home =
        bucket_of(*PublicKey::from({slot(buckets_[next]).data.get(), key_size}));
    if (((next - home) & mask) >= ((next - gap) & mask)) {
      buckets_[gap] = buckets_[next];
      gap = next;
    }
  }
  buckets_[gap] = none;
}

void PacketCache::grow_index() {
  buckets_.assign(buckets_.size() * 2, none);
  for (std::uint32_t at = newest_; at != none; at = slot(at).older) index(at);
}

std::uint32_t PacketCache::take_slot() {
  if (free_ != none) {
    std::uint32_t const at = free_;
    free_ = slot(at).older;
    return at;
  }
  if (slots_used_ % chunk_size == 0) chunks_.push_back(std::make_unique<Slot[]>(chunk_size));
  return slots_used_++;
}

void PacketCache::set_data(Slot& slot, ByteView bytes) {
  if (slot.data) bytes_ -= cost_of(slot.size);
  if (!slot.data || slot.size != bytes.size()) {
    slot.data = std::unique_ptr<std::uint8_t[]>(new std::uint8_t[bytes.size()]);
  }
  std::copy(bytes.begin(), bytes.end(), slot.data.get());
  slot.size = static_cast<std::uint16_t>(bytes.size());
  bytes_ += cost_of(slot.size);
}

void PacketCache::add(PublicKey const& key, ByteView bytes, UnixTime last_seen,
                      std::uint32_t ttl_s) {
  DOTKEY_ASSERT(bytes.size() >= key_size && base::equal(bytes.first(key_size), key.view()));
  // Three quarters full at most: linear probing stays short.
  if ((std::size_t{size_} + 1) * 4 > buckets_.size() * 3) grow_index();
  std::uint32_t const at = take_slot();
  set_data(slot(at), bytes);
  slot(at).last_seen = last_seen;
  slot(at).ttl_s = ttl_s;
  index(at);
  link_newest(at);
  ++size_;
  evict_surplus();
}

void PacketCache::link_newest(std::uint32_t at) {
  slot(at).newer = none;
  slot(at).older = newest_;
  if (newest_ != none) slot(newest_).newer = at;
  newest_ = at;
  if (oldest_ == none) oldest_ = at;
}

void PacketCache::unlink(std::uint32_t at) {
  Slot const& gone = slot(at);
  (gone.newer == none ? newest_ : slot(gone.newer).older) = gone.older;
  (gone.older == none ? oldest_ : slot(gone.older).newer) = gone.newer;
}

void PacketCache::touch(std::uint32_t at) {
  if (at == newest_) return;
  unlink(at);
  link_newest(at);
}

void PacketCache::remove(std::uint32_t at) {
  unindex(at);
  unlink(at);
  bytes_ -= cost_of(slot(at).size);
  slot(at) = Slot{};
  slot(at).older = free_;
  free_ = at;
  --size_;
}

// The newest entry stays, whatever it costs.
void PacketCache::evict_surplus() {
  while (size_ > 1 && (size_ > settings_.entries_max || bytes_ > settings_.bytes_max)) {
    remove(oldest_);
    ++counters_.evictions;
  }
}

PutResult PacketCache::put(SignedPacket const& packet, UnixTime now, UnixTime last_seen) {
  PublicKey const key = packet.key();
  std::uint32_t const at = index_of(key);
  std::uint32_t const ttl_s = packet.ttl_s(settings_.ttl_min_s, settings_.ttl_max_s);
  if (at == none) {
    add(key, packet.canonical(), last_seen, ttl_s);
    return PutResult::added;
  }
  Slot& found = slot(at);
  Entry const entry = entry_of(found);
  touch(at);
  if (entry.is_packet() && base::equal(entry.canonical, packet.canonical())) {
    // Where the clock was set back, the later time is the wrong one.
    if (found.last_seen < last_seen || found.last_seen > now) found.last_seen = last_seen;
    return PutResult::refreshed;
  }
  if (entry.is_packet() && !record::is_more_recent(packet.canonical(), entry.canonical)) {
    return PutResult::kept;
  }
  PutResult const result = entry.is_packet() ? PutResult::replaced : PutResult::added;
  set_data(found, packet.canonical());
  found.last_seen = last_seen;
  found.ttl_s = ttl_s;
  evict_surplus();
  return result;
}

void PacketCache::set_entries_max(std::uint32_t entries_max) {
  settings_.entries_max = entries_max;
  evict_surplus();
}

void PacketCache::put_not_found(PublicKey const& key, UnixTime now) {
  std::uint32_t const at = index_of(key);
  if (at == none) return add(key, key.view(), now, settings_.not_found_ttl_s);
  if (!entry_of(slot(at)).is_packet()) slot(at).last_seen = now;
}

void PacketCache::refresh(PublicKey const& key, UnixTime now) {
  std::uint32_t const at = index_of(key);
  if (at == none || !entry_of(slot(at)).is_packet()) return;
  slot(at).last_seen = now;
}

void PacketCache::erase(PublicKey const& key) {
  std::uint32_t const at = index_of(key);
  if (at != none) remove(at);
}

std::optional<Entry> PacketCache::find(PublicKey const& key) {
  std::uint32_t const at = index_of(key);
  if (at == none) {
    ++counters_.misses;
    return std::nullopt;
  }
  ++counters_.hits;
  touch(at);
  return entry_of(slot(at));
}

std::optional<Entry> PacketCache::peek(PublicKey const& key) const {
  std::uint32_t const at = index_of(key);
  if (at == none) return std::nullopt;
  return entry_of(slot(at));
}

}  // namespace dotkey::cache
