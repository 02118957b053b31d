// SPDX-License-Identifier: Apache-2.0
// The resolver: what each answer of the DHT and the relays makes of a question.
#include <gtest/gtest.h>

#include "core/resolve/resolver.h"

#include "tests/support/packets.h"

namespace dotkey::resolve {
namespace {

using base::ErrorCode;
using test::a_record;
using test::key_pair;
using test::packet_of;

constexpr std::int64_t stamp_us = 1'709'571'004'412'159;

dht::MutableItem item_of(SignedPacket const& packet) {
  dht::MutableItem out;
  out.key = packet.key();
  out.sequence = packet.timestamp_us();
  out.value = packet.item_value();
  out.signature = packet.signature();
  return out;
}

dht::Outcome dht_found(SignedPacket const& packet) {
  dht::Outcome out;
  out.item = item_of(packet);
  out.tally.responded = 8;
  return out;
}

dht::Outcome dht_error(ErrorCode error) {
  dht::Outcome out;
  out.error = error;
  return out;
}

dht::Outcome dht_confirmed() {
  dht::Outcome out;
  out.error = ErrorCode::dht_not_found;
  out.tally.no_more_recent = 3;
  return out;
}

relay::Outcome relay_outcome(relay::RelayVerdict verdict, std::optional<ErrorCode> error) {
  relay::Outcome out;
  out.error = error;
  out.relays.push_back({"https://one.example", verdict, error, 0});
  return out;
}

class ResolverTest : public testing::Test {
 protected:
  QuestionId ask(Options const& options = {}) {
    auto const id = resolver.ask(now, key, options);
    EXPECT_TRUE(id);
    drain();
    return id ? *id : QuestionId{};
  }

  void drain() {
    while (auto effect = resolver.poll_effect()) {
      if (auto* start = std::get_if<StartLookup>(&*effect)) started.push_back(*start);
      if (auto* stop = std::get_if<StopLookup>(&*effect)) stopped.push_back(*stop);
      if (auto* learned_packet = std::get_if<PacketLearned>(&*effect)) {
        learned.push_back(learned_packet->packet);
      }
      if (auto* answer = std::get_if<Answered>(&*effect)) {
        EXPECT_FALSE(answers.contains(answer->id)) << "answered twice";
        answers.insert_or_assign(answer->id, std::move(answer->outcome));
      }
    }
  }

  [[nodiscard]] LookupId lookup() const { return started.back().id; }
  void dht_ends(dht::Outcome const& outcome) {
    resolver.on_dht_finished(now, lookup(), outcome);
    drain();
  }
  void relays_end(relay::Outcome const& outcome) {
    resolver.on_relays_finished(now, lookup(), outcome);
    drain();
  }
  void relay_finds(SignedPacket const& found, std::optional<UnixTime> last_seen = {}) {
    resolver.on_packet(now, lookup(), found, last_seen.value_or(now.unix_time));
    drain();
  }
  void pass(Duration duration) {
    now.instant = now.instant + duration;
    now.unix_time = now.unix_time + duration;
    while (resolver.next_deadline() && *resolver.next_deadline() <= now.instant) {
      resolver.on_deadline(now);
    }
    drain();
  }
  Outcome const& outcome_of(QuestionId id) {
    EXPECT_TRUE(answers.contains(id));
    return answers[id];
  }

  Moment now{Instant{1}, UnixTime{stamp_us + 100'000'000}};
  cache::PacketCache cache{cache::Settings{}, 7};
  Resolver resolver{Settings{}, cache};
  SignedPacket packet = packet_of(1, stamp_us, {a_record("www", "192.0.2.1", 600)});
  SignedPacket newer = packet_of(1, stamp_us + 5, {a_record("www", "192.0.2.2", 600)});
  PublicKey key = packet.key();
  std::vector<StartLookup> started;
  std::vector<StopLookup> stopped;
  std::vector<SignedPacket> learned;
  std::map<QuestionId, Outcome> answers;
};

TEST_F(ResolverTest, an_unknown_key_is_asked_of_all_sources_at_once) {
  ask();
  ASSERT_EQ(started.size(), 2U);
  EXPECT_EQ(started[0].source, Source::dht);
  EXPECT_EQ(started[1].source, Source::relay);
  EXPECT_EQ(started[0].id, started[1].id);
  EXPECT_EQ(started[0].key, key);
  EXPECT_FALSE(started[0].newer_than_us);
  EXPECT_TRUE(answers.empty());
}

TEST_F(ResolverTest, first_answers_with_the_first_packet_and_the_lookup_goes_on) {
  auto const id = ask();
  relay_finds(packet);
  EXPECT_EQ(outcome_of(id).verdict, Verdict::found);
  EXPECT_EQ(outcome_of(id).packet, packet);
  EXPECT_EQ(outcome_of(id).source, Source::relay);
  EXPECT_FALSE(outcome_of(id).stale);
  EXPECT_EQ(resolver.lookups(), 1U);
  dht_ends(dht_found(newer));
  relays_end(relay_outcome(relay::RelayVerdict::found, {}));
  EXPECT_EQ(resolver.lookups(), 0U);
  EXPECT_EQ(learned, (std::vector{packet, newer}));
  EXPECT_EQ(outcome_of(ask()).packet, newer) << "the cache has the newest";
  EXPECT_EQ(started.size(), 2U) << "and the network was not asked again";
}

TEST_F(ResolverTest, newest_waits_for_all_sources) {
  auto const id = ask({.policy = Policy::newest});
  EXPECT_TRUE(started[1].thorough);
  resolver.on_item(now, lookup(), item_of(newer));
  relay_finds(packet);
  EXPECT_FALSE(answers.contains(id));
  relays_end(relay_outcome(relay::RelayVerdict::found, {}));
  EXPECT_FALSE(answers.contains(id));
  dht_ends(dht_found(newer));
  EXPECT_EQ(outcome_of(id).packet, newer);
  EXPECT_EQ(outcome_of(id).source, Source::dht);
}

TEST_F(ResolverTest, cache_never_asks_the_network) {
  EXPECT_EQ(outcome_of(ask({.policy = Policy::cache})).verdict, Verdict::not_found);
  EXPECT_EQ(answers.begin()->second.error->code, ErrorCode::cache_miss);
  cache.put(packet, now.unix_time);
  pass(Duration::from_s(40 * 86'400));
  auto const& outcome = outcome_of(ask({.policy = Policy::cache}));
  EXPECT_EQ(outcome.verdict, Verdict::found);
  EXPECT_TRUE(outcome.stale);
  EXPECT_EQ(outcome.age_s(now.unix_time), 40U * 86'400);
  EXPECT_TRUE(started.empty());
}

TEST_F(ResolverTest, a_thousand_askers_cost_one_lookup) {
  std::vector<QuestionId> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back(ask());
  EXPECT_EQ(started.size(), 2U);
  EXPECT_EQ(resolver.counters().lookups, 1U);
  EXPECT_EQ(resolver.counters().joined, 999U);
  relay_finds(packet);
  EXPECT_EQ(answers.size(), 1000U);
  for (QuestionId const id : ids) EXPECT_EQ(outcome_of(id).packet, packet);
}

TEST_F(ResolverTest, newest_does_not_join_a_lookup_that_relays_may_answer_from_their_caches) {
  ask();
  ask({.policy = Policy::newest});
  EXPECT_EQ(started.size(), 4U);
  ask();
  ask({.policy = Policy::newest});
  EXPECT_EQ(started.size(), 4U);
}

TEST_F(ResolverTest, every_pair_of_ends_has_one_verdict) {
  struct Row {
    std::string name;
    dht::Outcome dht;
    relay::Outcome relay;
    Verdict verdict;
    std::optional<ErrorCode> error;
  };
  auto const not_found = relay_outcome(relay::RelayVerdict::not_found, ErrorCode::relay_not_found);
  auto const failed = relay_outcome(relay::RelayVerdict::failed, ErrorCode::relay_timeout);
  auto invalid = relay_outcome(relay::RelayVerdict::invalid_packet, ErrorCode::relay_not_found);
  invalid.invalid_timestamp = 99;
  auto claim = invalid;
  claim.invalid_timestamp = INT64_MAX;
  std::vector<Row> const rows = {
      {"nobody has it", dht_error(ErrorCode::dht_not_found), not_found, Verdict::not_found,
       ErrorCode::resolve_not_found},
      {"the DHT has not, the relay failed", dht_error(ErrorCode::dht_not_found), failed,
       Verdict::not_found, ErrorCode::resolve_not_found},
      {"the DHT failed, the relay has not", dht_error(ErrorCode::dht_no_responses), not_found,
       Verdict::not_found, ErrorCode::resolve_not_found},
      {"both failed", dht_error(ErrorCode::dht_no_responses), failed, Verdict::network_failed,
       ErrorCode::resolve_network_failed},
      {"invalid and failed", dht_error(ErrorCode::dht_no_responses), invalid, Verdict::invalid,
       ErrorCode::resolve_invalid_packet},
      {"invalid and not found", dht_error(ErrorCode::dht_not_found), invalid, Verdict::invalid,
       ErrorCode::resolve_invalid_packet},
      {"found outranks an older invalid one", dht_found(packet), invalid, Verdict::found, {}},
      {"found outranks what a relay claims", dht_found(packet), claim, Verdict::found, {}},
      {"found outranks failure", dht_found(packet), failed, Verdict::found, {}},
  };
  for (Row const& row : rows) {
    SCOPED_TRACE(row.name);
    cache.erase(key);
    auto const id = ask({.policy = Policy::newest});
    relays_end(row.relay);
    EXPECT_FALSE(answers.contains(id));
    dht_ends(row.dht);
    EXPECT_EQ(outcome_of(id).verdict, row.verdict);
    EXPECT_EQ(outcome_of(id).error ? std::optional(outcome_of(id).error->code) : std::nullopt,
              row.error);
  }
}

TEST_F(ResolverTest, the_error_of_a_single_source_is_its_own) {
  resolver.set_sources({.dht = false, .relay = true});
  auto const id = ask();
  ASSERT_EQ(started.size(), 1U);
  relays_end(relay_outcome(relay::RelayVerdict::failed, ErrorCode::relay_payload_invalid));
  EXPECT_EQ(outcome_of(id).verdict, Verdict::network_failed);
  EXPECT_EQ(outcome_of(id).error->code, ErrorCode::relay_payload_invalid);
}

TEST_F(ResolverTest, both_errors_are_named_when_both_sources_fail) {
  auto const id = ask();
  resolver.on_not_started(now, lookup(), Source::dht, ErrorCode::dht_busy);
  relays_end(relay_outcome(relay::RelayVerdict::failed, ErrorCode::relay_timeout));
  EXPECT_EQ(outcome_of(id).error->detail, "dht.busy, relay.timeout");
}

TEST_F(ResolverTest, without_sources_there_is_nothing_to_ask) {
  resolver.set_sources({false, false});
  auto const& outcome = outcome_of(ask());
  EXPECT_EQ(outcome.verdict, Verdict::network_failed);
  EXPECT_EQ(outcome.error->code, ErrorCode::network_no_source);
  cache.put(packet, now.unix_time);
  EXPECT_EQ(outcome_of(ask()).packet, packet);
}

TEST_F(ResolverTest, not_found_is_remembered_for_a_minute) {
  ask();
  relays_end(relay_outcome(relay::RelayVerdict::not_found, ErrorCode::relay_not_found));
  dht_ends(dht_error(ErrorCode::dht_not_found));
  auto const& again = outcome_of(ask());
  EXPECT_EQ(again.verdict, Verdict::not_found);
  EXPECT_EQ(started.size(), 2U);
  ask({.policy = Policy::newest});
  EXPECT_EQ(started.size(), 4U) << "newest does not believe it";
  pass(Duration::from_s(61));
  ask();
  EXPECT_EQ(started.size(), 6U);
}

TEST_F(ResolverTest, a_failure_is_not_remembered) {
  ask();
  relays_end(relay_outcome(relay::RelayVerdict::failed, ErrorCode::relay_timeout));
  dht_ends(dht_error(ErrorCode::dht_no_responses));
  ask();
  EXPECT_EQ(started.size(), 4U);
}

TEST_F(ResolverTest, a_slightly_stale_packet_is_answered_at_once_and_revalidated) {
  cache.put(packet, now.unix_time);
  pass(Duration::from_s(700));
  auto const id = ask();
  EXPECT_TRUE(outcome_of(id).stale);
  EXPECT_EQ(outcome_of(id).packet, packet);
  ASSERT_EQ(started.size(), 2U);
  EXPECT_EQ(started[0].newer_than_us, stamp_us - 1) << "the DHT sends the packet again";
  EXPECT_EQ(started[1].newer_than_us, stamp_us);
  dht_ends(dht_found(newer));
  EXPECT_EQ(outcome_of(ask()).packet, newer);
}

TEST_F(ResolverTest, a_very_stale_packet_gives_the_network_a_moment) {
  cache.put(packet, now.unix_time);
  pass(Duration::from_s(2000));
  auto const id = ask();
  EXPECT_FALSE(answers.contains(id));
  EXPECT_EQ(*resolver.next_deadline() - now.instant, Duration::from_ms(1800));
  pass(Duration::from_ms(1800));
  EXPECT_TRUE(outcome_of(id).stale);
  auto const second = ask();
  dht_ends(dht_found(newer));
  EXPECT_EQ(outcome_of(second).packet, newer);
}

TEST_F(ResolverTest, when_the_network_fails_or_forgets_a_stale_packet_is_still_answered) {
  for (ErrorCode const error : {ErrorCode::dht_no_responses, ErrorCode::dht_not_found}) {
    cache.put(packet, now.unix_time);
    pass(Duration::from_s(2000));
    auto const id = ask();
    dht_ends(dht_error(error));
    relays_end(relay_outcome(relay::RelayVerdict::failed, ErrorCode::relay_timeout));
    EXPECT_EQ(outcome_of(id).verdict, Verdict::found);
    EXPECT_TRUE(outcome_of(id).stale);
  }
  auto const strict = ask({.policy = Policy::newest});
  dht_ends(dht_error(ErrorCode::dht_no_responses));
  relays_end(relay_outcome(relay::RelayVerdict::failed, ErrorCode::relay_timeout));
  EXPECT_EQ(outcome_of(strict).verdict, Verdict::network_failed) << "newest wants the truth";
}

TEST_F(ResolverTest, a_packet_stale_for_more_than_a_week_is_no_answer) {
  cache.put(packet, now.unix_time);
  pass(Duration::from_s(8 * 86'400));
  auto const id = ask();
  dht_ends(dht_error(ErrorCode::dht_no_responses));
  relays_end(relay_outcome(relay::RelayVerdict::failed, ErrorCode::relay_timeout));
  EXPECT_EQ(outcome_of(id).verdict, Verdict::network_failed);
}

TEST_F(ResolverTest, nothing_newer_confirms_the_cached_packet) {
  cache.put(packet, now.unix_time);
  pass(Duration::from_s(2000));
  auto const first = ask();
  relays_end(relay_outcome(relay::RelayVerdict::not_newer, {}));
  EXPECT_EQ(outcome_of(first).packet, packet);
  EXPECT_FALSE(outcome_of(first).stale);
  EXPECT_EQ(outcome_of(first).last_seen, now.unix_time);
  auto const newest = ask({.policy = Policy::newest});
  dht_ends(dht_confirmed());
  relays_end(relay_outcome(relay::RelayVerdict::failed, ErrorCode::relay_timeout));
  EXPECT_EQ(outcome_of(newest).packet, packet);
}

TEST_F(ResolverTest, an_older_packet_than_the_cached_one_is_no_answer) {
  cache.put(newer, now.unix_time);
  pass(Duration::from_s(2000));
  auto const first = ask();
  relay_finds(packet);
  EXPECT_FALSE(answers.contains(first));
  relays_end(relay_outcome(relay::RelayVerdict::found, {}));
  dht_ends(dht_found(packet));
  EXPECT_EQ(outcome_of(first).packet, newer);
  EXPECT_TRUE(outcome_of(first).stale);
}

TEST_F(ResolverTest, a_packet_that_the_relay_has_not_seen_for_long_waits_for_a_better_one) {
  auto const id = ask();
  relay_finds(packet, now.unix_time + Duration::from_s(-4000));
  EXPECT_FALSE(answers.contains(id));
  relays_end(relay_outcome(relay::RelayVerdict::found, {}));
  dht_ends(dht_found(newer));
  EXPECT_EQ(outcome_of(id).packet, newer);
}

TEST_F(ResolverTest, a_question_ends_when_its_time_is_up_and_the_lookup_somewhat_later) {
  auto const id = ask({.timeout = Duration::from_s(3)});
  pass(Duration::from_s(3));
  EXPECT_EQ(outcome_of(id).verdict, Verdict::network_failed);
  EXPECT_EQ(outcome_of(id).error->code, ErrorCode::resolve_timeout);
  EXPECT_EQ(resolver.lookups(), 1U);
  pass(Duration::from_s(27));
  EXPECT_EQ(resolver.lookups(), 0U);
  EXPECT_EQ(stopped.size(), 2U);
  EXPECT_FALSE(resolver.next_deadline());
  dht_ends(dht_found(packet));
  EXPECT_FALSE(cache.peek(key)) << "nobody waits for a late source";
}

TEST_F(ResolverTest, a_question_may_leave_sources_out_and_then_the_cache_too) {
  cache.put(packet, now.unix_time);
  auto const id = ask({.sources = {true, false}});
  ASSERT_EQ(started.size(), 1U);
  EXPECT_EQ(started[0].source, Source::dht);
  EXPECT_FALSE(answers.contains(id));
  dht_ends(dht_found(packet));
  EXPECT_EQ(outcome_of(id).source, Source::dht);
}

TEST_F(ResolverTest, a_joined_question_can_start_a_source_that_the_lookup_left_out) {
  auto const narrow = ask({.sources = {true, false}});
  auto const wide = ask();
  ASSERT_EQ(started.size(), 2U);
  EXPECT_EQ(started[0].id, started[1].id);
  relay_finds(packet);
  EXPECT_TRUE(answers.contains(wide));
  EXPECT_FALSE(answers.contains(narrow)) << "a relay's packet is not what it asked for";
  dht_ends(dht_error(ErrorCode::dht_not_found));
  EXPECT_EQ(outcome_of(narrow).verdict, Verdict::not_found);
}

TEST_F(ResolverTest, an_item_that_is_no_signed_packet_makes_the_key_invalid) {
  auto const id = ask();
  auto item = item_of(packet);
  item.value = base::to_bytes("5:hello");
  item.sequence = 4711;
  resolver.on_item(now, lookup(), item);
  dht_ends(dht_error(ErrorCode::dht_not_found));
  relays_end(relay_outcome(relay::RelayVerdict::not_found, ErrorCode::relay_not_found));
  EXPECT_EQ(outcome_of(id).verdict, Verdict::invalid);
  EXPECT_EQ(outcome_of(id).invalid_timestamp, 4711);
}

TEST_F(ResolverTest, what_belongs_to_another_key_is_ignored) {
  auto const id = ask();
  auto const other = packet_of(2, stamp_us, {});
  relay_finds(other);
  resolver.on_item(now, lookup(), item_of(other));
  auto salted = item_of(packet);
  salted.salt = base::to_bytes("x");
  resolver.on_item(now, lookup(), salted);
  drain();
  EXPECT_FALSE(answers.contains(id));
  EXPECT_EQ(cache.size(), 0U);
}

TEST_F(ResolverTest, a_cancelled_question_ends_once) {
  auto const id = ask();
  auto const other = ask();
  resolver.cancel(id);
  resolver.cancel(id);
  drain();
  EXPECT_EQ(outcome_of(id).error->code, ErrorCode::cancelled);
  relay_finds(packet);
  EXPECT_EQ(outcome_of(other).packet, packet);
}

TEST_F(ResolverTest, questions_and_lookups_are_bounded) {
  Settings settings;
  settings.lookups_max = 1;
  settings.questions_max = 2;
  resolver = Resolver(settings, cache);
  ask();
  EXPECT_EQ(resolver.ask(now, key_pair(2).public_key(), {}).error().code, ErrorCode::resolve_busy);
  ask();
  EXPECT_EQ(resolver.ask(now, key, {}).error().code, ErrorCode::resolve_busy);
}

TEST_F(ResolverTest, a_relay_server_is_told_in_its_own_words) {
  struct Row {
    Verdict verdict;
    ErrorCode error;
    relay::ResolveVerdict expected;
  };
  for (Row const row :
       {Row{Verdict::not_found, ErrorCode::resolve_not_found, relay::ResolveVerdict::not_found},
        {Verdict::invalid, ErrorCode::resolve_invalid_packet,
         relay::ResolveVerdict::invalid_packet},
        {Verdict::network_failed, ErrorCode::network_no_source, relay::ResolveVerdict::no_nodes},
        {Verdict::network_failed, ErrorCode::dht_no_responses,
         relay::ResolveVerdict::no_responses}}) {
    Outcome outcome;
    outcome.verdict = row.verdict;
    outcome.error = base::Error(row.error);
    EXPECT_EQ(answer_for_relay(outcome).verdict, row.expected);
  }
}

}  // namespace
}  // namespace dotkey::resolve
