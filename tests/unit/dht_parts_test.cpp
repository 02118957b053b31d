// SPDX-License-Identifier: Apache-2.0
// The parts of the DHT node one by one.
#include <gtest/gtest.h>

#include "core/dht/address_votes.h"
#include "core/dht/closest_cache.h"
#include "core/dht/lookup.h"
#include "core/dht/neighbourhood.h"
#include "core/dht/node_id.h"
#include "core/dht/rate_limiter.h"
#include "core/dht/round_trip.h"
#include "core/dht/routing_table.h"
#include "core/dht/size_estimate.h"
#include "core/dht/state.h"

#include "tests/support/json.h"
#include "tests/unit/dht_parts_fixture.h"

namespace dotkey::dht {
namespace {

TEST(node_id, bep_42_ids_are_accepted_and_any_changed_prefix_is_not) {
  auto const vectors = test::load_vectors("bep42.json");
  for (auto const& entry : vectors.at("ids").as_array()) {
    auto const address = IpAddress::parse(test::text_at(entry, "address")).value();
    auto id = *NodeId::from(test::hex_at(entry, "id"));
    EXPECT_TRUE(is_secure_id(id, address)) << address.to_string();
    id.bytes[2] ^= 0x08;  // bit 20, the last that counts
    EXPECT_FALSE(is_secure_id(id, address));
  }
}

TEST(node_id, made_ids_satisfy_bep_42_in_both_families) {
  SeededEntropy entropy(1);
  for (auto const* text : {"124.31.75.21", "2606:4700::1111"}) {
    auto const address = IpAddress::parse(text).value();
    auto const id = make_secure_id(address, entropy);
    EXPECT_TRUE(is_secure_id(id, address));
    EXPECT_FALSE(is_secure_id(id, IpAddress::parse("9.9.9.9").value()));
  }
}

TEST(node_id, a_random_id_at_n_bits_shares_exactly_n_bits) {
  SeededEntropy entropy(1);
  NodeId const id = random_id(entropy);
  for (unsigned bits = 0; bits < 160; ++bits) {
    EXPECT_EQ(common_prefix_bits(id, random_id_at(id, bits, entropy)), bits);
  }
}

TEST(neighbourhood, nodes_are_counted_by_bucket_and_by_round_trip) {
  SeededEntropy entropy(3);
  RoutingTable table(random_id(entropy), true);
  auto const meet = [&](std::uint8_t at, unsigned shared_bits, std::uint32_t rtt_us) {
    table.on_response(Instant{1},
                      {random_id_at(table.self(), shared_bits, entropy), public_endpoint(at, 1)},
                      rtt_us);
  };
  meet(1, 0, 24'999);
  meet(2, 0, 25'000);
  meet(3, 2, 1'599'999);
  meet(4, 2, 60'000'000);
  meet(5, 4, 0);  // not measured
  Neighbourhood counted;
  counted.add(table);
  EXPECT_EQ(counted.by_bucket, (std::vector<std::uint32_t>{2, 0, 2, 0, 1}));
  EXPECT_EQ(counted.by_round_trip, (std::array<std::uint32_t, 8>{1, 1, 0, 0, 0, 0, 1, 1}));
}

TEST(routing_table, closest_gives_the_same_as_sorting_everything) {
  SeededEntropy entropy(5);
  RoutingTable table(random_id(entropy), true);
  for (std::uint8_t a = 0; a < 250; ++a) {
    for (std::uint8_t b = 1; b < 8; ++b)
      table.on_response(Instant{1}, secure_node(a, b, entropy), 1);
  }
  auto all = table.contacts();
  ASSERT_GT(all.size(), 200U);
  for (int round = 0; round < 50; ++round) {
    NodeId const target = random_id_at(table.self(), entropy.below(12), entropy);
    std::sort(all.begin(), all.end(), [&](Contact const& x, Contact const& y) {
      return is_closer(target, x.node.id, y.node.id);
    });
    auto const closest = table.closest(target, k_nodes, true);
    ASSERT_EQ(closest.size(), k_nodes);
    for (std::size_t i = 0; i < k_nodes; ++i) EXPECT_EQ(closest[i], all[i].node);
  }
}

TEST(routing_table, a_full_bucket_keeps_its_old_nodes_against_newcomers) {
  SeededEntropy entropy(5);
  NodeId self = id_of(0);
  RoutingTable table(self, false);
  std::vector<NodeInfo> kept;
  auto const local = [&](std::size_t i) {
    Endpoint const endpoint{IpAddress::v4({10, 0, 0, 1}), static_cast<std::uint16_t>(1000 + i)};
    return NodeInfo{random_id_at(self, 5, entropy), endpoint};
  };
  for (std::size_t i = 0; i < k_nodes; ++i) {
    kept.push_back(local(i));
    EXPECT_TRUE(table.on_response(Instant{1}, kept.back(), 1));
  }
  EXPECT_FALSE(table.on_response(Instant{2}, local(900), 1));
  table.on_timeout(kept[3].endpoint, kept[3].id);
  EXPECT_TRUE(table.on_response(Instant{3}, local(901), 1)) << "a failing node gives way";
  EXPECT_EQ(table.find(kept[3].id, kept[3].endpoint), nullptr);
}

TEST(routing_table, silent_contacts_take_turns_in_being_asked) {
  SeededEntropy entropy(5);
  RoutingTable table(random_id(entropy), true);
  NodeInfo const first = secure_node(1, 1, entropy);
  NodeInfo const second = secure_node(2, 1, entropy);
  table.on_response(Instant{1}, first, 1);
  table.on_response(Instant{2}, second, 1);
  Instant const later{3'600'000'000};
  Duration const silence = Duration::from_s(600);
  ASSERT_EQ(table.most_silent(later, silence)->node, first);
  table.on_asked(later, first.id, first.endpoint);
  EXPECT_EQ(table.most_silent(later, silence)->node, second);
  table.on_asked(later, second.id, second.endpoint);
  EXPECT_EQ(table.most_silent(later, silence), nullptr);
  EXPECT_EQ(table.most_silent(later + Duration::from_s(61), silence)->node, first);
}

TEST(routing_table, an_empty_bucket_is_looked_up_in_once_a_period) {
  SeededEntropy entropy(5);
  RoutingTable table(id_of(0), false);
  Endpoint const local{IpAddress::v4({10, 0, 0, 1}), 1000};
  Instant const now{3'600'000'000};
  table.on_response(now, {random_id_at(table.self(), 1, entropy), local}, 1);
  Duration const silence = Duration::from_s(900);
  ASSERT_EQ(table.stale_bucket(now, silence), 0U);
  table.on_refresh(now, 0);
  EXPECT_EQ(table.stale_bucket(now + silence, silence), std::nullopt);
  EXPECT_EQ(table.stale_bucket(now + silence + Duration::from_us(1), silence), 0U);
}

TEST(routing_table, one_address_holds_one_place) {
  SeededEntropy entropy(5);
  RoutingTable table(id_of(0), true);
  EXPECT_TRUE(table.on_response(Instant{1}, secure_node(1, 1, entropy), 1));
  NodeInfo other = secure_node(1, 1, entropy);
  other.endpoint.port = 7000;
  EXPECT_FALSE(table.on_response(Instant{1}, other, 1));
}

TEST(routing_table, a_node_is_dropped_after_three_silences) {
  SeededEntropy entropy(5);
  RoutingTable table(id_of(0), true);
  auto const node = secure_node(1, 1, entropy);
  table.on_response(Instant{1}, node, 1);
  for (int i = 0; i < 3; ++i) table.on_timeout(node.endpoint, node.id);
  EXPECT_EQ(table.size(), 0U);
}

TEST(lookup, invented_ids_near_the_target_cost_few_requests) {
  SeededEntropy entropy(9);
  NodeId const target = random_id(entropy);
  Lookup lookup(target, 4);
  for (std::uint8_t i = 1; i <= 30; ++i) lookup.add(secure_node(1, i, entropy), 0);
  // A liar hands out nodes nearer than any honest one; their ids do not fit their addresses.
  for (std::uint8_t i = 1; i < 200; ++i)
    lookup.add({random_id_at(target, 100, entropy), public_endpoint(2, i)}, 1);
  std::size_t insecure = 0;
  std::size_t honest = 0;
  while (!lookup.is_done(k_nodes)) {
    auto const candidate = lookup.next(k_nodes);
    ASSERT_TRUE(candidate);
    if (candidate->secure) {
      ++honest;
      lookup.on_answer(candidate->node, {});
    } else {
      ++insecure;
      lookup.on_lost(candidate->node.endpoint);
    }
  }
  EXPECT_EQ(honest, k_nodes);
  EXPECT_LE(insecure, Lookup::insecure_visits_max);
}

TEST(lookup, an_endless_supply_of_candidates_ends) {
  SeededEntropy entropy(9);
  Lookup lookup(random_id(entropy), 4);
  std::uint32_t asked = 0;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    Endpoint const endpoint{
        IpAddress::v4({static_cast<std::uint8_t>(11 + i % 90), static_cast<std::uint8_t>(i >> 8),
                       static_cast<std::uint8_t>(i), 1}),
        1};
    lookup.add({make_secure_id(endpoint.address, entropy), endpoint}, 0);
    if (auto const candidate = lookup.next(k_nodes)) {
      ++asked;
      lookup.on_lost(candidate->node.endpoint);
    }
  }
  EXPECT_LE(asked, Lookup::visits_max);
}

TEST(lookup, an_overdue_node_makes_room_for_another_and_may_still_answer) {
  SeededEntropy entropy(9);
  Lookup lookup(random_id(entropy), 1);
  for (std::uint8_t i = 1; i <= 4; ++i) lookup.add(secure_node(1, i, entropy), 0);
  auto const first = lookup.next(k_nodes);
  ASSERT_TRUE(first);
  while (lookup.next(k_nodes)) {
  }
  lookup.on_overdue(first->node.endpoint);
  EXPECT_TRUE(lookup.next(k_nodes));
  EXPECT_TRUE(lookup.on_answer(first->node, {}));
  EXPECT_FALSE(lookup.on_answer(first->node, {})) << "an answer counts once";
}

TEST(rate_limiter, a_source_gets_its_burst_and_then_its_rate) {
  RateLimiter limiter(10, 20, 0);
  auto const source = IpAddress::v4({8, 8, 8, 8});
  int allowed = 0;
  for (int i = 0; i < 100; ++i) allowed += limiter.allow(Instant{0}, source) ? 1 : 0;
  EXPECT_EQ(allowed, 20);
  allowed = 0;
  for (int i = 0; i < 100; ++i) allowed += limiter.allow(Instant{1'000'000}, source) ? 1 : 0;
  EXPECT_EQ(allowed, 10);
  EXPECT_TRUE(limiter.allow(Instant{1'000'000}, IpAddress::v4({8, 8, 4, 4})));
}

TEST(rate_limiter, the_addresses_of_one_ipv6_network_share_a_bucket) {
  RateLimiter limiter(1, 2, 0);
  EXPECT_TRUE(limiter.allow(Instant{0}, IpAddress::parse("2606:4700:1:1::1").value()));
  EXPECT_TRUE(limiter.allow(Instant{0}, IpAddress::parse("2606:4700:1:1::2").value()));
  EXPECT_FALSE(limiter.allow(Instant{0}, IpAddress::parse("2606:4700:1:1::3").value()));
  EXPECT_TRUE(limiter.allow(Instant{0}, IpAddress::parse("2606:4700:1:2::1").value()));
}

TEST(rate_limiter, memory_stays_bounded_under_a_flood_of_sources) {
  RateLimiter limiter(1, 1, 0);
  std::uint32_t allowed = 0;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    auto const source =
        IpAddress::v4({9, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8),
                       static_cast<std::uint8_t>(i)});
    allowed += limiter.allow(Instant{0}, source) ? 1U : 0U;
  }
  EXPECT_LE(allowed, RateLimiter::sources_max + 1);
}

TEST(round_trip, patience_follows_what_the_network_does) {
  RoundTrip rtt;
  auto const initial = rtt.patience_for(0);
  for (int i = 0; i < 100; ++i) rtt.on_sample(Duration::from_ms(20));
  EXPECT_LT(rtt.patience_for(0).lost, initial.lost);
  for (int i = 0; i < 200; ++i) rtt.on_sample(Duration::from_ms(800));
  EXPECT_GT(rtt.patience_for(0).lost, Duration::from_ms(800));
  EXPECT_LE(rtt.patience_for(0).lost, Duration::from_s(3));
}

TEST(address_votes, a_lone_liar_changes_nothing) {
  AddressVotes votes;
  Endpoint const truth{IpAddress::v4({5, 5, 5, 5}), 1};
  Endpoint const lie{IpAddress::v4({6, 6, 6, 6}), 1};
  for (int i = 0; i < 50; ++i) votes.on_vote(IpAddress::v4({1, 1, 1, 1}), lie);
  EXPECT_FALSE(votes.external());
  for (std::uint8_t i = 0; i < 6; ++i) votes.on_vote(IpAddress::v4({2, 2, 2, i}), truth);
  EXPECT_EQ(votes.external(), truth);
}

TEST(size_estimate, finds_the_size_of_a_uniform_network_within_a_quarter) {
  SeededEntropy entropy(3);
  std::vector<NodeId> network(20'000);
  for (auto& id : network) id = random_id(entropy);
  SizeEstimate estimate;
  for (int i = 0; i < 16; ++i) {
    NodeId const target = random_id(entropy);
    std::partial_sort(network.begin(), network.begin() + k_nodes, network.end(),
                      [&](NodeId const& a, NodeId const& b) { return is_closer(target, a, b); });
    std::vector<NodeInfo> closest;
    for (std::size_t k = 0; k < k_nodes; ++k) closest.push_back({network[k], {}});
    EXPECT_TRUE(estimate.is_plausible(target, closest));
    estimate.on_lookup(target, closest);
  }
  EXPECT_NEAR(estimate.nodes(), 20'000, 5'000);
  NodeId const target = random_id(entropy);
  std::vector<NodeInfo> sybils;
  for (unsigned k = 0; k < k_nodes; ++k)
    sybils.push_back({random_id_at(target, 40 - k, entropy), {}});
  EXPECT_FALSE(estimate.is_plausible(target, sybils));
}

TEST(state, survives_a_round_trip_and_nothing_else_is_taken_for_it) {
  SeededEntropy entropy(3);
  SavedState state;
  state.id_v4 = random_id(entropy);
  state.nodes = {secure_node(1, 2, entropy),
                 {random_id(entropy), {IpAddress::parse("2606:4700::1").value(), 99}}};
  Bytes const bytes = encode_state(state);
  auto const read = parse_state(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->nodes, state.nodes);
  EXPECT_EQ(read->id_v4, state.id_v4);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_state(ByteView(bytes).first(size))) << size;
  }
}

}  // namespace
}  // namespace dotkey::dht
