// SPDX-License-Identifier: Apache-2.0
// The publisher: one packet to many nodes.
#include "tests/support/datagram_net.h"
#include "tests/unit/publisher_fixture.h"

namespace dotkey::publish {
namespace {

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
