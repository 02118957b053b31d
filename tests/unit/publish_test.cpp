// SPDX-License-Identifier: Apache-2.0
// The publisher: one packet to many nodes, and many keys kept alive on virtual time.
#include <algorithm>

#include <gtest/gtest.h>

#include "core/publish/publisher.h"

#include "tests/support/datagram_net.h"
#include "tests/support/packets.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::publish {
namespace {

using base::ErrorCode;
using base::Result;
using test::a_record;
using test::key_pair;
using test::packet_of;

constexpr std::int64_t stamp_us = 1'709'571'004'412'159;

dht::Outcome stored_on(std::uint32_t nodes) {
  dht::Outcome out;
  out.stored = nodes;
  return out;
}

dht::Outcome refused(ErrorCode error, SignedPacket const& by) {
  dht::Outcome out;
  out.error = error;
  dht::MutableItem item;
  item.key = by.key();
  item.sequence = by.timestamp_us();
  item.value = by.item_value();
  item.signature = by.signature();
  out.item = item;
  return out;
}

dht::Outcome failed(ErrorCode error) {
  dht::Outcome out;
  out.error = error;
  return out;
}

relay::Outcome relays(relay::RelayVerdict verdict, std::optional<ErrorCode> error,
                      std::uint32_t dht_nodes = 0) {
  relay::Outcome out;
  out.error = error;
  out.stored = verdict == relay::RelayVerdict::stored ? 1 : 0;
  out.dht_nodes = dht_nodes;
  out.relays.push_back({"https://one.example", verdict, error, dht_nodes});
  return out;
}

class PublisherTest : public testing::Test {
 protected:
  void restart(Settings const& settings) { publisher.emplace(settings, entropy); }

  void publish(SignedPacket const& p, Options const& options = {}) {
    auto const id = publisher->publish(now, p, options);
    ASSERT_TRUE(id);
    drain();
  }

  void drain() {
    while (auto effect = publisher->poll_effect()) {
      if (auto* look = std::get_if<StartLook>(&*effect)) looks.push_back(*look);
      if (auto* put = std::get_if<StartPut>(&*effect)) puts.push_back(std::move(*put));
      if (auto* get = std::get_if<StartGet>(&*effect)) gets.push_back(*get);
      if (auto* end = std::get_if<Published>(&*effect)) published.push_back(std::move(*end));
      if (auto* save = std::get_if<SaveRow>(&*effect)) rows.insert_or_assign(save->key, save->row);
      if (auto* drop = std::get_if<DropRow>(&*effect)) rows.erase(drop->key);
      if (auto* adopt = std::get_if<Adopted>(&*effect)) adopted.push_back(adopt->packet);
    }
  }

  StartPut take_put(Source source) {
    auto const found = std::find_if(puts.begin(), puts.end(),
                                    [&](StartPut const& put) { return put.source == source; });
    EXPECT_NE(found, puts.end());
    StartPut out = *found;
    puts.erase(found);
    return out;
  }
  void dht_ends(dht::Outcome const& outcome) {
    publisher->on_dht_finished(now, take_put(Source::dht).id, outcome);
    drain();
  }
  void relays_end(relay::Outcome const& outcome) {
    publisher->on_relays_finished(now, take_put(Source::relay).id, outcome);
    drain();
  }

  void pass(Duration duration) {
    now.instant = now.instant + duration;
    now.unix_time = now.unix_time + duration;
    wake();
  }
  void wake() {
    while (publisher->next_deadline() && *publisher->next_deadline() <= now.instant) {
      publisher->on_deadline(now);
      drain();
    }
  }
  // What anybody has, asked before a conditional publication.
  void look_ends(Result<std::optional<SignedPacket>> const& newest) {
    ASSERT_EQ(looks.size(), 1U);
    publisher->on_looked(now, looks.back().id, newest);
    looks.clear();
    drain();
  }
  Outcome outcome() {
    EXPECT_EQ(published.size(), 1U);
    if (published.empty()) return {};
    Outcome out = published.back().outcome;
    published.clear();
    return out;
  }

  test::SeededEntropy entropy{1};
  std::optional<Publisher> publisher{std::in_place, Settings{}, entropy};
  Moment now{Instant{1}, UnixTime{stamp_us + 100'000'000}};
  SignedPacket packet = packet_of(1, stamp_us, {a_record("www", "192.0.2.1", 600)});
  SignedPacket newer = packet_of(1, stamp_us + 5, {});
  std::vector<StartLook> looks;
  std::vector<StartPut> puts;
  std::vector<StartGet> gets;
  std::vector<Published> published;
  std::map<PublicKey, Bytes> rows;
  std::vector<SignedPacket> adopted;
};

TEST_F(PublisherTest, a_packet_goes_to_the_dht_and_the_relays) {
  publish(packet);
  EXPECT_TRUE(looks.empty());
  ASSERT_EQ(puts.size(), 2U);
  EXPECT_EQ(puts[0].packet, packet);
  EXPECT_FALSE(puts[0].cas_us);
  EXPECT_TRUE(puts[1].compare_first);
  dht_ends(stored_on(20));
  EXPECT_TRUE(published.empty()) << "the relays are waited for";
  relays_end(relays(relay::RelayVerdict::stored, {}, 15));
  auto const result = outcome();
  EXPECT_FALSE(result.error);
  EXPECT_EQ(result.dht_nodes, 20U);
  EXPECT_EQ(result.attempts, 1U);
  ASSERT_EQ(result.relays.size(), 1U);
  EXPECT_EQ(result.relays[0].dht_nodes, 15U);
}

TEST_F(PublisherTest, too_few_nodes_are_tried_again_later_and_later) {
  publish(packet);
  relays_end(relays(relay::RelayVerdict::stored, {}, 1));
  Duration waited;
  for (std::uint32_t attempt = 1; attempt < Settings{}.attempts_max; ++attempt) {
    dht_ends(stored_on(3));
    EXPECT_TRUE(published.empty());
    ASSERT_TRUE(publisher->next_deadline());
    Duration const wait = *publisher->next_deadline() - now.instant;
    EXPECT_GE(wait * 2, Duration::from_s(std::int64_t{1} << (attempt - 1)));
    EXPECT_LE(wait, Duration::from_s(std::int64_t{1} << (attempt - 1)));
    waited = waited + wait;
    pass(wait);
    ASSERT_EQ(puts.size(), 1U) << "the relay has it already";
  }
  dht_ends(stored_on(4));
  auto const result = outcome();
  EXPECT_EQ(result.error->code, ErrorCode::publish_too_few_nodes);
  EXPECT_EQ(result.dht_nodes, 4U);
  EXPECT_EQ(result.attempts, 4U);
  EXPECT_EQ(publisher->scheduled_count(), 1U) << "republishing may do better";
}

TEST_F(PublisherTest, a_retry_that_reaches_enough_nodes_succeeds) {
  publish(packet, {.cas_us = 7, .dht_nodes_min = 5});
  look_ends(std::optional<SignedPacket>());
  relays_end(relays(relay::RelayVerdict::failed, ErrorCode::relay_timeout));
  dht_ends(stored_on(2));
  pass(Duration::from_s(1));
  ASSERT_EQ(puts.size(), 2U);
  EXPECT_TRUE(looks.empty());
  EXPECT_FALSE(puts[0].cas_us) << "the nodes that took it would fail the condition";
  EXPECT_EQ(puts[1].cas_us, 7) << "the relays have not";
  relays_end(relays(relay::RelayVerdict::failed, ErrorCode::relay_timeout));
  dht_ends(stored_on(6));
  EXPECT_FALSE(outcome().error);
}

TEST_F(PublisherTest, a_conflict_is_reported_with_both_versions) {
  for (ErrorCode const error : {ErrorCode::dht_newer_exists, ErrorCode::dht_cas_mismatch}) {
    publish(packet);
    relays_end(relays(relay::RelayVerdict::stored, {}, 1));
    dht_ends(refused(error, newer));
    ASSERT_EQ(published.size(), 1U);
    EXPECT_EQ(published[0].ours, packet);
    auto const result = outcome();
    EXPECT_EQ(result.error->code, ErrorCode::publish_conflict);
    EXPECT_EQ(result.theirs, newer);
  }
  EXPECT_EQ(publisher->scheduled_count(), 0U);
}

TEST_F(PublisherTest, a_dht_that_refuses_without_a_reason_is_asked_for_what_it_holds) {
  publish(packet);
  relays_end(relays(relay::RelayVerdict::failed, ErrorCode::relay_timeout));
  dht_ends(failed(ErrorCode::dht_newer_exists));
  ASSERT_EQ(gets.size(), 1U);
  EXPECT_TRUE(published.empty());
  publisher->on_dht_finished(now, gets[0].id, refused(ErrorCode::dht_not_found, newer));
  drain();
  EXPECT_EQ(outcome().theirs, newer);
}

TEST_F(PublisherTest, a_refusal_that_is_never_explained_is_a_conflict_all_the_same) {
  publish(packet);
  relays_end(relays(relay::RelayVerdict::failed, ErrorCode::relay_timeout));
  dht_ends(failed(ErrorCode::dht_cas_mismatch));
  pass(Duration::from_s(60));
  auto const result = outcome();
  EXPECT_EQ(result.error->code, ErrorCode::publish_conflict);
  EXPECT_FALSE(result.theirs);
}

TEST_F(PublisherTest, a_relay_that_shows_a_newer_packet_makes_a_conflict) {
  publish(packet);
  auto conflict = relays(relay::RelayVerdict::newer_exists, ErrorCode::relay_newer_exists);
  conflict.packet = newer;
  relays_end(conflict);
  dht_ends(stored_on(20));
  auto const result = outcome();
  EXPECT_EQ(result.error->code, ErrorCode::publish_conflict);
  EXPECT_EQ(result.theirs, newer);
}

TEST_F(PublisherTest, a_relay_that_only_claims_a_newer_packet_does_not_outvote_the_dht) {
  publish(packet);
  relays_end(relays(relay::RelayVerdict::newer_exists, ErrorCode::relay_newer_exists));
  dht_ends(stored_on(20));
  EXPECT_FALSE(outcome().error);
}

TEST_F(PublisherTest, a_condition_is_held_against_the_newest_before_relays_get_anything) {
  auto const replaced = packet_of(1, 7, {});
  for (std::optional<SignedPacket> const& known :
       {std::optional(replaced), std::optional(packet), std::optional<SignedPacket>()}) {
    publish(packet, {.cas_us = 7});
    ASSERT_TRUE(puts.empty());
    ASSERT_EQ(looks.size(), 1U);
    EXPECT_EQ(looks[0].key, packet.key());
    look_ends(known);
    ASSERT_EQ(puts.size(), 2U);
    EXPECT_EQ(puts[0].cas_us, 7);
    EXPECT_EQ(puts[1].cas_us, 7);
    EXPECT_TRUE(puts[1].compare_first);
    dht_ends(stored_on(20));
    relays_end(relays(relay::RelayVerdict::stored, {}, 15));
    EXPECT_FALSE(outcome().error);
  }
}

TEST_F(PublisherTest, nothing_is_put_where_the_newest_is_another_one) {
  // Older than ours or not, it is not what the condition names; or it is, and ours is the old one.
  auto const older = packet_of(1, stamp_us - 5, {});
  for (auto const& [known, cas_us] :
       {std::pair(older, stamp_us - 9), std::pair(newer, stamp_us - 9),
        std::pair(newer, newer.timestamp_us())}) {
    publish(packet, {.cas_us = cas_us});
    look_ends(std::optional(known));
    EXPECT_TRUE(puts.empty());
    auto const result = outcome();
    EXPECT_EQ(result.error->code, ErrorCode::publish_conflict);
    EXPECT_EQ(result.theirs, known);
  }
}

TEST_F(PublisherTest, a_condition_that_nobody_can_check_is_not_met) {
  publish(packet, {.cas_us = 7});
  look_ends(base::fail(ErrorCode::resolve_network_failed));
  EXPECT_TRUE(puts.empty());
  EXPECT_EQ(outcome().error->code, ErrorCode::resolve_network_failed);
}

TEST_F(PublisherTest, the_dht_alone_compares_by_itself) {
  publish(packet, {.cas_us = 7, .sources = {true, false}});
  EXPECT_TRUE(looks.empty());
  EXPECT_EQ(take_put(Source::dht).cas_us, 7);
}

TEST_F(PublisherTest, our_own_packet_is_not_in_our_way) {
  publish(packet, {.cas_us = 7});
  look_ends(std::optional(packet));
  relays_end(relays(relay::RelayVerdict::stored, {}, 20));
  dht_ends(refused(ErrorCode::dht_cas_mismatch, packet));
  EXPECT_FALSE(outcome().error);
}

TEST_F(PublisherTest, when_nothing_is_stored_the_error_says_why) {
  Settings settings;
  settings.attempts_max = 1;
  restart(settings);
  publish(packet);
  relays_end(relays(relay::RelayVerdict::failed, ErrorCode::relay_timeout));
  dht_ends(failed(ErrorCode::dht_no_responses));
  auto const both = outcome();
  EXPECT_EQ(both.error->code, ErrorCode::publish_failed);
  EXPECT_EQ(both.error->detail, "dht.no_responses, relay.timeout");
  publish(packet, {.sources = {true, false}});
  dht_ends(failed(ErrorCode::dht_no_responses));
  EXPECT_EQ(outcome().error->code, ErrorCode::dht_no_responses);
  EXPECT_EQ(publisher->scheduled_count(), 0U);
}

TEST_F(PublisherTest, one_key_is_published_once_at_a_time) {
  publish(packet);
  EXPECT_EQ(publisher->publish(now, newer, {}).error().code, ErrorCode::publish_busy);
  publisher->set_sources({false, false});
  EXPECT_EQ(publisher->publish(now, packet_of(2, 1, {}), {}).error().code,
            ErrorCode::network_no_source);
}

TEST_F(PublisherTest, a_put_that_never_ends_is_given_up_on) {
  Settings settings;
  settings.attempts_max = 1;
  restart(settings);
  publish(packet);
  pass(Duration::from_s(60));
  EXPECT_EQ(outcome().error->code, ErrorCode::publish_failed);
  EXPECT_EQ(publisher->puts_under_way(), 0U);
}

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

// The real DHT in place of scripted outcomes.
class PublisherNetTest : public testing::Test {
 protected:
  static constexpr std::uint16_t first_port = 10'000;

  static base::Endpoint endpoint_of(std::size_t index) {
    return {base::IpAddress::v4({127, 0, 0, 1}), static_cast<std::uint16_t>(first_port + index)};
  }

  void SetUp() override {
    dht::Settings settings;
    settings.mode = dht::Mode::server;
    for (std::size_t i = 0; i < 25; ++i) {
      net.add(settings, endpoint_of(i).port, {endpoint_of(0)});
    }
    net.run(Duration::from_s(60), [] { return false; });
    settings.mode = dht::Mode::client;
    node = &net.add(settings, endpoint_of(500).port, {endpoint_of(0)});
    Settings publisher_settings;
    publisher_settings.sources.relay = false;
    publisher.emplace(publisher_settings, entropy);
  }

  [[nodiscard]] Moment now() const { return {net.now, UnixTime{stamp_us + net.now.us}}; }

  // Publishes over the net until the publication has ended.
  Published publish(SignedPacket const& packet, std::optional<std::int64_t> cas_us = {}) {
    EXPECT_TRUE(publisher->publish(now(), packet, {cas_us, {}, {}, true}));
    while (auto effect = publisher->poll_effect()) {
      if (auto* end = std::get_if<Published>(&*effect)) return std::move(*end);
      if (auto* put = std::get_if<StartPut>(&*effect)) run_put(*put);
      if (auto* get = std::get_if<StartGet>(&*effect)) {
        auto const id = node->get_mutable(net.now, get->key, {}, {});
        auto const outcome = net.finish(id.value());
        publisher->on_dht_finished(now(), get->id, outcome);
      }
    }
    ADD_FAILURE() << "the publication did not end";
    return {PublishId{}, packet, {}};
  }

  void run_put(StartPut const& put) {
    dht::MutableItem item;
    item.key = put.packet.key();
    item.sequence = put.packet.timestamp_us();
    item.value = put.packet.item_value();
    item.signature = put.packet.signature();
    auto const id = node->put_mutable(net.now, item, {put.cas_us});
    ASSERT_TRUE(id);
    auto const outcome = net.finish(*id);
    publisher->on_dht_finished(now(), put.id, outcome);
  }

  test::DatagramNet net{1};
  test::SeededEntropy entropy{2};
  dht::Node* node = nullptr;
  std::optional<Publisher> publisher;
};

TEST_F(PublisherNetTest, a_packet_is_stored_on_the_closest_nodes_of_a_real_dht) {
  auto const packet = packet_of(1, stamp_us, {a_record("www", "192.0.2.1", 600)});
  auto const end = publish(packet);
  EXPECT_FALSE(end.outcome.error);
  EXPECT_GE(end.outcome.dht_nodes, 20U);
}

TEST_F(PublisherNetTest, compare_and_swap_holds_against_a_real_dht) {
  auto const first = packet_of(1, stamp_us, {});
  auto const second = packet_of(1, stamp_us + 1, {a_record("www", "192.0.2.1")});
  auto const third = packet_of(1, stamp_us + 2, {a_record("www", "192.0.2.2")});
  EXPECT_FALSE(publish(first).outcome.error);
  EXPECT_FALSE(publish(second, stamp_us).outcome.error);
  auto const conflict = publish(third, stamp_us);
  ASSERT_TRUE(conflict.outcome.error);
  EXPECT_EQ(conflict.outcome.error->code, ErrorCode::publish_conflict);
  EXPECT_EQ(conflict.outcome.theirs, second);
  auto const older = publish(first);
  EXPECT_EQ(older.outcome.error->code, ErrorCode::publish_conflict);
  EXPECT_EQ(older.outcome.theirs, second);
}

}  // namespace
}  // namespace dotkey::publish
