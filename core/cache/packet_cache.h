// SPDX-License-Identifier: Apache-2.0
// The packets seen lately, least recently used first out, in bounded memory. It never downgrades: a
// key's packet is only ever replaced by a more recent one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/crypto/keys.h"
#include "core/engine/time.h"
#include "core/record/signed_packet.h"

namespace dotkey::cache {

using base::ByteView;
using crypto::PublicKey;
using engine::Duration;
using engine::UnixTime;

struct Settings {
  // Packets and "not found"s together; at least 1.
  std::uint32_t entries_max = 100'000;
  // Of packets with their book-keeping.
  std::uint64_t bytes_max = 128ULL << 20;
  // A packet is fresh for the least TTL of its records, kept within these (pkarr's defaults).
  std::uint32_t ttl_min_s = 300;
  std::uint32_t ttl_max_s = 86'400;
  // How long "not found" is believed.
  std::uint32_t not_found_ttl_s = 60;
};

// What the cache knows of a key. The view is good until the cache changes.
struct Entry {
  ByteView canonical;  // a verified packet; empty: the network did not find one
  UnixTime last_seen;  // when a source last gave these very bytes
  std::uint32_t ttl_s = 0;

  [[nodiscard]] bool is_packet() const { return !canonical.empty(); }
  [[nodiscard]] UnixTime expires() const { return last_seen + Duration::from_s(ttl_s); }
  // A packet seen in the future was seen before the clock was set back; it is stale.
  [[nodiscard]] bool is_fresh(UnixTime now) const;
  // Since the packet was last seen, in seconds; 0 where the clock was set back.
  [[nodiscard]] std::uint32_t age_s(UnixTime now) const;
  [[nodiscard]] std::uint32_t remaining_ttl_s(UnixTime now) const;
};

enum class PutResult : std::uint8_t {
  added,      // the first packet of its key
  replaced,   // an older one made way
  refreshed,  // the same packet, seen again
  kept,       // the cache holds a more recent one
};

struct Counters {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t evictions = 0;
};

// Every operation takes constant time. Canonical bytes stand in one allocation an entry; the index
// costs about 40 bytes more.
class PacketCache {
 public:
  // `hash_key`: a secret, since strangers choose the keys.
  PacketCache(Settings const& settings, std::uint64_t hash_key);

  // Takes a verified packet that was seen at `last_seen`, not after `now`, and makes it the most
  // recently used.
  PutResult put(record::SignedPacket const& packet, UnixTime now, UnixTime last_seen);
  PutResult put(record::SignedPacket const& packet, UnixTime now) { return put(packet, now, now); }
  // The network was asked and has no packet. What is cached of the key stays.
  void put_not_found(PublicKey const& key, UnixTime now);
  // A source confirmed the packet cached without sending it again.
  void refresh(PublicKey const& key, UnixTime now);
  void erase(PublicKey const& key);

  // Also makes the entry the most recently used.
  std::optional<Entry> find(PublicKey const& key);
  [[nodiscard]] std::optional<Entry> peek(PublicKey const& key) const;

  // At least 1; what is over the new bound goes at once.
  void set_entries_max(std::uint32_t entries_max);

  [[nodiscard]] Settings const& settings() const { return settings_; }
  [[nodiscard]] Counters const& counters() const { return counters_; }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // Calls `visit(Entry const&)` for every packet, most recently used first.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::uint32_t at = newest_; at != none; at = slot(at).older) {
      if (Entry const entry = entry_of(slot(at)); entry.is_packet()) visit(entry);
    }
  }

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  static constexpr std::uint32_t chunk_size = 4096;

  // A packet, or the key alone of one that was not found.
  struct Slot {
    std::unique_ptr<std::uint8_t[]> data;
    UnixTime last_seen;
    std::uint32_t ttl_s = 0;
    std::uint32_t newer = none;  // towards the most recently used; free slots: unused
    std::uint32_t older = none;  // free slots: the next free one
    std::uint16_t size = 0;
  };

  Slot& slot(std::uint32_t index) { return chunks_[index / chunk_size][index % chunk_size]; }
  [[nodiscard]] Slot const& slot(std::uint32_t index) const {
    return chunks_[index / chunk_size][index % chunk_size];
  }
  [[nodiscard]] static Entry entry_of(Slot const& slot);
  [[nodiscard]] static std::uint64_t cost_of(std::size_t size);
  [[nodiscard]] std::size_t bucket_of(PublicKey const& key) const;
  [[nodiscard]] std::uint32_t index_of(PublicKey const& key) const;
  [[nodiscard]] static bool holds(Slot const& slot, PublicKey const& key);

  std::uint32_t take_slot();
  void set_data(Slot& slot, ByteView bytes);
  void add(PublicKey const& key, ByteView bytes, UnixTime last_seen, std::uint32_t ttl_s);
  void index(std::uint32_t at);
  void unindex(std::uint32_t at);
  void grow_index();
  void link_newest(std::uint32_t at);
  void unlink(std::uint32_t at);
  void touch(std::uint32_t at);
  void remove(std::uint32_t at);
  void evict_surplus();

  Settings settings_;
  std::uint64_t hash_key_;
  std::vector<std::unique_ptr<Slot[]>> chunks_;
  std::vector<std::uint32_t> buckets_;  // open addressing, linear probing; a power of two
  std::uint32_t slots_used_ = 0;        // slots ever taken
  std::uint32_t free_ = none;
  std::uint32_t newest_ = none;
  std::uint32_t oldest_ = none;
  std::uint32_t size_ = 0;
  std::uint64_t bytes_ = 0;
  Counters counters_;
};

}  // namespace dotkey::cache
