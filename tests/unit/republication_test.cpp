// SPDX-License-Identifier: Apache-2.0
// Many keys kept alive on virtual time.
#include <algorithm>

#include "tests/unit/publisher_fixture.h"

namespace dotkey::publish {
namespace {

TEST_F(PublisherTest, a_published_key_is_republished_about_every_hour) {
  publish(packet);
  relays_end(relays(relay::RelayVerdict::stored, {}, 15));
  dht_ends(stored_on(20));
  UnixTime last = now.unix_time;
  for (int i = 0; i < 20; ++i) {
    while (puts.empty()) pass(Duration::from_s(10));
    Duration const interval = now.unix_time - last;
    EXPECT_GE(interval, Duration::from_s(54 * 60));
    EXPECT_LE(interval, Duration::from_s(66 * 60 + 10));
    last = now.unix_time;
    EXPECT_EQ(puts[0].packet, packet);
    EXPECT_FALSE(puts[0].cas_us);
    EXPECT_EQ(puts.size(), 1U) << "relays republish themselves";
    dht_ends(stored_on(18));
  }
  EXPECT_EQ(publisher->scheduled()[0].dht_nodes, 18U);
}

TEST_F(PublisherTest, without_a_dht_the_relays_are_republished_to) {
  publisher->set_sources({false, true});
  ASSERT_TRUE(publisher->keep_alive(now, packet));
  while (puts.empty()) pass(Duration::from_s(10));
  EXPECT_EQ(puts[0].source, Source::relay);
}

TEST_F(PublisherTest, without_a_dht_a_relay_that_stored_the_packet_is_enough) {
  publisher->set_sources({false, true});
  publish(packet);
  relays_end(relays(relay::RelayVerdict::stored, {}, 0));
  EXPECT_FALSE(outcome().error);
  EXPECT_EQ(publisher->scheduled_count(), 1U);
}

TEST_F(PublisherTest, the_schedule_survives_a_restart) {
  publish(packet);
  relays_end(relays(relay::RelayVerdict::stored, {}, 15));
  dht_ends(stored_on(20));
  auto const before = publisher->scheduled();
  ASSERT_EQ(rows.size(), 1U);
  restart(Settings{});
  ASSERT_TRUE(publisher->add_row(now, rows.begin()->second));
  auto const after = publisher->scheduled();
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].key, packet.key());
  EXPECT_EQ(after[0].due, before[0].due);
  EXPECT_EQ(after[0].stored_at, before[0].stored_at);
  EXPECT_EQ(after[0].timestamp_us, stamp_us);
  pass(Duration::from_s(66 * 60));
  EXPECT_EQ(puts.size(), 1U);
}

TEST_F(PublisherTest, a_damaged_row_is_refused) {
  publish(packet);
  relays_end(relays(relay::RelayVerdict::stored, {}, 15));
  dht_ends(stored_on(20));
  Bytes const row = rows.begin()->second;
  restart(Settings{});
  for (std::size_t size : {std::size_t{0}, std::size_t{24}, std::size_t{25}, std::size_t{100}}) {
    EXPECT_EQ(publisher->add_row(now, ByteView(row).first(size)).error().code,
              ErrorCode::publish_row_malformed);
  }
  Bytes other_version = row;
  other_version[0] = 2;
  EXPECT_FALSE(publisher->add_row(now, other_version));
  EXPECT_EQ(publisher->scheduled_count(), 0U);
}

TEST_F(PublisherTest, a_newer_record_in_the_network_is_adopted) {
  ASSERT_TRUE(publisher->keep_alive(now, packet));
  while (puts.empty()) pass(Duration::from_s(10));
  dht_ends(refused(ErrorCode::dht_newer_exists, newer));
  ASSERT_EQ(adopted.size(), 1U);
  EXPECT_EQ(adopted[0], newer);
  EXPECT_EQ(publisher->scheduled()[0].failures, 0U);
  while (puts.empty()) pass(Duration::from_s(60));
  EXPECT_EQ(puts[0].packet, newer) << "and kept alive from now on";
  restart(Settings{});
  ASSERT_TRUE(publisher->add_row(now, rows.begin()->second));
  EXPECT_EQ(publisher->scheduled()[0].timestamp_us, newer.timestamp_us());
}

TEST_F(PublisherTest, a_newer_record_that_somebody_resolved_is_adopted_too) {
  ASSERT_TRUE(publisher->keep_alive(now, newer));
  publisher->on_packet_seen(now, packet);
  drain();
  EXPECT_TRUE(adopted.empty());
  auto const newest = packet_of(1, stamp_us + 50, {});
  publisher->on_packet_seen(now, newest);
  drain();
  EXPECT_EQ(adopted, std::vector{newest});
  publisher->on_packet_seen(now, packet_of(2, stamp_us, {}));
  EXPECT_EQ(publisher->scheduled_count(), 1U) << "other keys are none of our business";
}

TEST_F(PublisherTest, an_adoption_while_a_put_is_under_way_is_not_lost) {
  ASSERT_TRUE(publisher->keep_alive(now, packet));
  while (puts.empty()) pass(Duration::from_s(10));
  publisher->on_packet_seen(now, newer);
  dht_ends(stored_on(20));
  EXPECT_EQ(publisher->scheduled()[0].timestamp_us, newer.timestamp_us());
  while (puts.empty()) pass(Duration::from_s(60));
  EXPECT_EQ(puts[0].packet, newer);
}

TEST_F(PublisherTest, failures_are_tried_again_ever_later) {
  ASSERT_TRUE(publisher->keep_alive(now, packet));
  while (puts.empty()) pass(Duration::from_s(1));
  for (std::uint32_t i = 0; i < 9; ++i) {
    UnixTime const failed_at = now.unix_time;
    dht_ends(failed(ErrorCode::dht_no_responses));
    EXPECT_EQ(publisher->scheduled()[0].failures, i + 1);
    while (puts.empty()) pass(Duration::from_s(1));
    Duration const expected = std::min(Duration::from_s(60) * (1 << i), Duration::from_s(3600));
    EXPECT_GE(now.unix_time - failed_at, expected);
    EXPECT_LE(now.unix_time - failed_at, expected + Duration::from_s(1));
  }
}

TEST_F(PublisherTest, a_forgotten_key_is_left_alone) {
  ASSERT_TRUE(publisher->keep_alive(now, packet));
  drain();
  EXPECT_EQ(rows.size(), 1U);
  publisher->forget(packet.key());
  drain();
  EXPECT_TRUE(rows.empty());
  pass(Duration::from_s(7200));
  EXPECT_TRUE(puts.empty());
  EXPECT_FALSE(publisher->next_deadline());
}

TEST_F(PublisherTest, forgetting_while_a_put_is_under_way_is_final) {
  ASSERT_TRUE(publisher->keep_alive(now, packet));
  while (puts.empty()) pass(Duration::from_s(10));
  publisher->forget(packet.key());
  dht_ends(stored_on(20));
  EXPECT_EQ(publisher->scheduled_count(), 0U);
  EXPECT_TRUE(rows.empty());
}

TEST_F(PublisherTest, after_a_long_sleep_everything_due_is_caught_up_with_one_by_one) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(publisher->keep_alive(now, packet_of(i, stamp_us, {})));
  }
  drain();
  // The monotonic clock stood still for two days; the next wake-up reads the calendar.
  now.unix_time = now.unix_time + Duration::from_s(2 * 86'400);
  ASSERT_TRUE(publisher->next_deadline());
  EXPECT_LE(*publisher->next_deadline() - now.instant, Duration::from_s(360));
  Instant const start = now.instant;
  std::size_t done = 0;
  while (done < 100) {
    now.instant = std::max(now.instant, publisher->next_deadline().value());
    wake();
    EXPECT_LE(puts.size(), 1U) << "never two at a time";
    while (!puts.empty()) {
      ++done;
      dht_ends(stored_on(20));
    }
  }
  EXPECT_GE(now.instant - start, Duration::from_ms(50) * 99);
  EXPECT_LE(now.instant - start, Duration::from_s(360));
}

TEST_F(PublisherTest, a_clock_that_is_set_back_does_not_let_keys_die) {
  ASSERT_TRUE(publisher->keep_alive(now, packet));
  while (puts.empty()) pass(Duration::from_s(10));
  dht_ends(stored_on(20));
  now.unix_time = now.unix_time + Duration::from_s(-30 * 86'400);
  for (int i = 0; i < 400 && puts.empty(); ++i) pass(Duration::from_s(10));
  EXPECT_EQ(puts.size(), 1U);
}

TEST_F(PublisherTest, a_shorter_interval_holds_for_what_was_scheduled_before) {
  publish(packet);
  dht_ends(stored_on(20));
  relays_end(relays(relay::RelayVerdict::stored, {}));
  publisher->set_republication(now, Duration::from_s(30), true);
  for (int i = 0; i < 60 && puts.empty(); ++i) pass(Duration::from_s(1));
  EXPECT_EQ(puts.size(), 2U) << "to the relays, too";
}

TEST_F(PublisherTest, a_turn_that_is_near_hides_none_that_is_too_far_off) {
  publish(packet);
  dht_ends(stored_on(20));
  relays_end(relays(relay::RelayVerdict::stored, {}));
  ASSERT_EQ(publisher->scheduled().size(), 1U);
  auto const near = packet_of(7, stamp_us, {});
  ASSERT_TRUE(publisher->keep_alive(now, near));
  publisher->set_republication(now, Duration::from_s(200), false);
  for (ScheduledKey const& scheduled : publisher->scheduled()) {
    EXPECT_LE(scheduled.due - now.unix_time, Duration::from_s(400));
  }
}

// 10,000 keys on one node for six hours: puts take 0.5 to 8 s, and one in twenty fails.
TEST_F(PublisherTest, ten_thousand_keys_stay_alive) {
  constexpr std::uint64_t keys = 10'000;
  for (std::uint64_t i = 0; i < keys; ++i) {
    ASSERT_TRUE(publisher->keep_alive(now, packet_of(i, stamp_us, {})));
  }
  drain();
  std::multimap<Instant, PutId> ends;
  std::map<PublicKey, UnixTime> stored_at;
  std::map<PutId, PublicKey> key_of;
  Instant const end = now.instant + Duration::from_s(6 * 3600);
  Duration longest_gap;
  std::size_t parallel_max = 0;
  std::uint64_t total = 0;
  while (now.instant < end) {
    Instant next = publisher->next_deadline().value_or(end);
    if (!ends.empty()) next = std::min(next, ends.begin()->first);
    next = std::max(next, now.instant);
    now.unix_time = now.unix_time + (next - now.instant);
    now.instant = next;
    while (!ends.empty() && ends.begin()->first <= now.instant) {
      PutId const id = ends.begin()->second;
      ends.erase(ends.begin());
      bool const fails = entropy.below(20) == 0;
      publisher->on_dht_finished(now, id,
                                 fails ? failed(ErrorCode::dht_no_responses) : stored_on(20));
      if (!fails) {
        auto const [at, fresh] = stored_at.emplace(key_of.at(id), now.unix_time);
        if (!fresh) longest_gap = std::max(longest_gap, now.unix_time - at->second);
        at->second = now.unix_time;
      }
      key_of.erase(id);
    }
    if (publisher->next_deadline() && *publisher->next_deadline() <= now.instant) {
      publisher->on_deadline(now);
    }
    drain();
    for (StartPut const& put : puts) {
      ++total;
      key_of.emplace(put.id, put.packet.key());
      ends.emplace(now.instant + Duration::from_ms(500 + entropy.below(7500)), put.id);
    }
    parallel_max = std::max(parallel_max, ends.size());
    puts.clear();
  }
  EXPECT_EQ(stored_at.size(), keys);
  // BEP 44 lets nodes forget after two hours.
  EXPECT_LT(longest_gap, Duration::from_s(2 * 3600));
  EXPECT_LE(parallel_max, Settings{}.republish_parallel_max);
  EXPECT_GT(total, keys * 5);
  EXPECT_LT(total, keys * 8);
}

}  // namespace
}  // namespace dotkey::publish
