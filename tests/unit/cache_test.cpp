// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/cache/packet_cache.h"
#include "core/crypto/ed25519.h"

#include "tests/support/packets.h"

namespace dotkey::cache {
namespace {

using record::SignedPacket;
using test::a_record;
using test::key_pair;
using test::packet_of;

constexpr UnixTime start{1'700'000'000'000'000};

UnixTime after_s(std::int64_t seconds) {
  return start + Duration::from_s(seconds);
}

PacketCache small_cache(std::uint32_t entries_max) {
  Settings settings;
  settings.entries_max = entries_max;
  return PacketCache(settings, 7);
}

TEST(cache, a_packet_is_found_byte_for_byte) {
  auto cache = small_cache(10);
  auto const packet = packet_of(1, 5, {a_record("www", "192.0.2.1", 600)});
  EXPECT_EQ(cache.put(packet, start), PutResult::added);
  auto const entry = cache.find(packet.key());
  ASSERT_TRUE(entry);
  EXPECT_TRUE(base::equal(entry->canonical, packet.canonical()));
  EXPECT_EQ(entry->last_seen, start);
  EXPECT_EQ(entry->ttl_s, 600U);
  EXPECT_FALSE(cache.find(key_pair(2).public_key()));
  EXPECT_EQ(cache.counters().hits, 1U);
  EXPECT_EQ(cache.counters().misses, 1U);
}

TEST(cache, a_smaller_bound_lets_the_longest_unused_go_at_once) {
  auto cache = small_cache(10);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) cache.put(packet_of(seed, 1, {}), start);
  cache.set_entries_max(3);
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_FALSE(cache.peek(key_pair(7).public_key()));
  EXPECT_TRUE(cache.peek(key_pair(8).public_key()));
}

TEST(cache, the_ttl_is_that_of_the_shortest_record_within_bounds) {
  auto cache = small_cache(10);
  struct Row {
    std::uint32_t record_ttl_s;
    std::uint32_t expected_ttl_s;
  };
  std::uint64_t seed = 1;
  for (Row const row : {Row{0, 300}, {299, 300}, {300, 300}, {4000, 4000}, {999'999, 86'400}}) {
    auto const packet = packet_of(
        ++seed, 1,
        {a_record("a", "192.0.2.1", 900'000), a_record("b", "192.0.2.1", row.record_ttl_s)});
    cache.put(packet, start);
    EXPECT_EQ(cache.find(packet.key())->ttl_s, row.expected_ttl_s) << row.record_ttl_s;
  }
  auto const empty = packet_of(99, 1, {});
  cache.put(empty, start);
  EXPECT_EQ(cache.find(empty.key())->ttl_s, 300U);
}

TEST(cache, a_packet_is_fresh_until_its_ttl_has_passed) {
  auto cache = small_cache(10);
  auto const packet = packet_of(1, 5, {a_record("www", "192.0.2.1", 600)});
  cache.put(packet, start);
  auto const entry = *cache.find(packet.key());
  EXPECT_TRUE(entry.is_fresh(after_s(599)));
  EXPECT_EQ(entry.remaining_ttl_s(after_s(599)), 1U);
  EXPECT_FALSE(entry.is_fresh(after_s(600)));
  EXPECT_EQ(entry.remaining_ttl_s(after_s(600)), 0U);
  EXPECT_EQ(entry.age_s(after_s(700)), 700U);
}

TEST(cache, a_packet_seen_in_the_future_is_stale_until_it_is_seen_again) {
  auto cache = small_cache(10);
  auto const packet = packet_of(1, 5, {a_record("www", "192.0.2.1", 600)});
  cache.put(packet, after_s(86'400));
  EXPECT_FALSE(cache.find(packet.key())->is_fresh(start));
  EXPECT_EQ(cache.find(packet.key())->age_s(start), 0U);
  EXPECT_EQ(cache.put(packet, start), PutResult::refreshed);
  EXPECT_TRUE(cache.find(packet.key())->is_fresh(start));
}

TEST(cache, it_never_downgrades) {
  auto cache = small_cache(10);
  auto const older = packet_of(1, 5, {a_record("www", "192.0.2.1", 600)});
  auto const newer = packet_of(1, 6, {});
  EXPECT_EQ(cache.put(newer, start), PutResult::added);
  EXPECT_EQ(cache.put(older, after_s(10)), PutResult::kept);
  EXPECT_TRUE(base::equal(cache.find(newer.key())->canonical, newer.canonical()));
  EXPECT_EQ(cache.find(newer.key())->last_seen, start);
}

TEST(cache, of_two_packets_with_one_timestamp_the_larger_bytes_win) {
  auto const a = packet_of(1, 5, {a_record("www", "192.0.2.1", 600)});
  auto const b = packet_of(1, 5, {a_record("www", "192.0.2.2", 600)});
  auto const& larger = a.is_more_recent_than(b) ? a : b;
  auto const& smaller = a.is_more_recent_than(b) ? b : a;
  auto cache = small_cache(10);
  EXPECT_EQ(cache.put(smaller, start), PutResult::added);
  EXPECT_EQ(cache.put(larger, start), PutResult::replaced);
  EXPECT_EQ(cache.put(smaller, start), PutResult::kept);
  EXPECT_TRUE(base::equal(cache.find(a.key())->canonical, larger.canonical()));
}

TEST(cache, the_same_packet_again_moves_last_seen_forward_only) {
  auto cache = small_cache(10);
  auto const packet = packet_of(1, 5, {});
  cache.put(packet, start);
  EXPECT_EQ(cache.put(packet, after_s(20)), PutResult::refreshed);
  EXPECT_EQ(cache.find(packet.key())->last_seen, after_s(20));
  EXPECT_EQ(cache.put(packet, after_s(30), after_s(10)), PutResult::refreshed);
  EXPECT_EQ(cache.find(packet.key())->last_seen, after_s(20));
  cache.refresh(packet.key(), after_s(40));
  EXPECT_EQ(cache.find(packet.key())->last_seen, after_s(40));
}

TEST(cache, not_found_is_believed_for_a_minute_and_never_hides_a_packet) {
  auto cache = small_cache(10);
  auto const packet = packet_of(1, 5, {});
  cache.put_not_found(packet.key(), start);
  auto const negative = cache.find(packet.key());
  ASSERT_TRUE(negative);
  EXPECT_FALSE(negative->is_packet());
  EXPECT_TRUE(negative->is_fresh(after_s(59)));
  EXPECT_FALSE(negative->is_fresh(after_s(60)));
  EXPECT_EQ(cache.put(packet, start), PutResult::added);
  cache.put_not_found(packet.key(), after_s(1));
  EXPECT_TRUE(cache.find(packet.key())->is_packet());
}

TEST(cache, the_least_recently_used_entry_leaves_first) {
  auto cache = small_cache(3);
  for (std::uint64_t seed : {1U, 2U, 3U}) cache.put(packet_of(seed, 1, {}), start);
  EXPECT_TRUE(cache.find(key_pair(1).public_key()));  // 2 is now the oldest
  EXPECT_TRUE(cache.peek(key_pair(2).public_key()));  // a look from aside changes nothing
  cache.put(packet_of(4, 1, {}), start);
  EXPECT_FALSE(cache.find(key_pair(2).public_key()));
  EXPECT_TRUE(cache.find(key_pair(1).public_key()));
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_EQ(cache.counters().evictions, 1U);
}

TEST(cache, bytes_are_bounded_too) {
  Settings settings;
  settings.bytes_max = 2000;
  PacketCache cache(settings, 7);
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    cache.put(packet_of(seed, 1, {a_record("www", "192.0.2.1", 600)}), start);
    EXPECT_LE(cache.bytes(), 2000U);
  }
  EXPECT_GT(cache.size(), 3U);
  cache.erase(key_pair(50).public_key());
  EXPECT_FALSE(cache.find(key_pair(50).public_key()));
}

TEST(cache, the_index_survives_ten_thousand_comings_and_goings) {
  auto cache = small_cache(300);
  crypto::PublicKey key;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    key.bytes[0] = static_cast<std::uint8_t>(i);
    key.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    cache.put_not_found(key, start);
    ASSERT_TRUE(cache.find(key)) << i;
    if (i % 3 == 0) {
      cache.erase(key);
      ASSERT_FALSE(cache.find(key)) << i;
    }
  }
  EXPECT_EQ(cache.size(), 299U);  // the last one was erased
  std::uint32_t found = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    key.bytes[0] = static_cast<std::uint8_t>(i);
    key.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    if (cache.peek(key)) ++found;
  }
  EXPECT_EQ(found, 299U);
}

TEST(cache, packets_are_listed_most_recently_used_first) {
  auto cache = small_cache(10);
  for (std::uint64_t seed : {1U, 2U, 3U}) cache.put(packet_of(seed, 1, {}), start);
  cache.put_not_found(key_pair(9).public_key(), start);
  std::vector<crypto::PublicKey> keys;
  cache.for_each([&](Entry const& entry) {
    keys.push_back(*crypto::PublicKey::from(entry.canonical.first(32)));
  });
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[0], key_pair(3).public_key());
  EXPECT_EQ(keys[2], key_pair(1).public_key());
}

}  // namespace
}  // namespace dotkey::cache
