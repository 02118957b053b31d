// SPDX-License-Identifier: Apache-2.0
// The parts of the DHT node one by one, and the node against hostile peers.
#include <gtest/gtest.h>

#include "core/crypto/ed25519.h"
#include "core/dht/address_votes.h"
#include "core/dht/closest_cache.h"
#include "core/dht/lookup.h"
#include "core/dht/node.h"
#include "core/dht/node_id.h"
#include "core/dht/rate_limiter.h"
#include "core/dht/round_trip.h"
#include "core/dht/routing_table.h"
#include "core/dht/server.h"
#include "core/dht/size_estimate.h"
#include "core/dht/state.h"
#include "core/wire/bencode.h"

#include "tests/support/json.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::dht {
namespace {

namespace krpc = wire::krpc;
using test::SeededEntropy;

NodeId id_of(std::uint8_t first, std::uint8_t last = 0) {
  NodeId id;
  id.bytes[0] = first;
  id.bytes[19] = last;
  return id;
}

Endpoint public_endpoint(std::uint8_t a, std::uint8_t b, std::uint16_t port = 6881) {
  return {IpAddress::v4({8, 8, a, b}), port};
}

NodeInfo secure_node(std::uint8_t a, std::uint8_t b, SeededEntropy& entropy) {
  Endpoint const endpoint = public_endpoint(a, b);
  return {make_secure_id(endpoint.address, entropy), endpoint};
}

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

class ServerTest : public testing::Test {
 protected:
  ServerTest() : server({}, NodeId{}, entropy, Instant{0}) {}

  // Runs a query and keeps what the test looks at; the views of the reply are gone by then.
  struct Answer {
    krpc::Kind kind;
    std::int64_t code;
    Bytes token;
    std::optional<Bytes> value;
    std::optional<std::int64_t> sequence;
  };
  Answer ask(krpc::Message const& query, Instant now = Instant{0}) {
    Reply reply;
    server.answer(now, from, query, reply);
    Answer out{reply.message.kind, reply.message.code, {}, {}, reply.message.sequence};
    if (reply.message.token) out.token = base::to_bytes(*reply.message.token);
    if (reply.message.value) out.value = base::to_bytes(*reply.message.value);
    return out;
  }

  krpc::Message get_query() {
    krpc::Message query;
    query.method = krpc::Method::get;
    query.id = NodeId{};
    query.target = krpc::mutable_target(alice.public_key(), salt);
    return query;
  }

  krpc::Message put_query(std::int64_t sequence, std::string_view text) {
    token = ask(get_query()).token;
    value = wire::bencode::encode_string(base::view_of(text));
    krpc::Message query;
    query.method = krpc::Method::put;
    query.id = NodeId{};
    query.token = ByteView(token);
    query.value = ByteView(value);
    query.key = alice.public_key();
    query.sequence = sequence;
    query.target = krpc::mutable_target(alice.public_key(), salt);
    if (!salt.empty()) query.salt = ByteView(salt);
    query.signature = alice.sign_now(krpc::signable(salt, sequence, value));
    return query;
  }

  SeededEntropy entropy{1};
  crypto::KeyPair alice{crypto::Seed{}};
  Endpoint from = public_endpoint(1, 1);
  Bytes salt;
  Bytes token;
  Bytes value;
  Server server;
};

TEST_F(ServerTest, stores_what_is_signed_and_gives_it_back) {
  EXPECT_EQ(ask(put_query(4, "x")).kind, krpc::Kind::response);
  auto const answer = ask(get_query());
  EXPECT_EQ(answer.sequence, 4);
  EXPECT_EQ(answer.value, base::to_bytes("1:x"));
}

TEST_F(ServerTest, each_fault_of_a_put_earns_its_bep_44_error) {
  ask(put_query(4, "x"));
  auto older = put_query(3, "x");
  EXPECT_EQ(ask(older).code, 302);
  auto cas = put_query(5, "y");
  cas.cas = 3;
  EXPECT_EQ(ask(cas).code, 301);
  auto forged = put_query(5, "y");
  forged.signature->bytes[0] ^= 1;
  EXPECT_EQ(ask(forged).code, 206);
  auto huge = put_query(5, std::string(997, 'y'));
  EXPECT_EQ(ask(huge).code, 205);
  auto tokenless = put_query(5, "y");
  Bytes const other(8, 1);
  tokenless.token = ByteView(other);
  EXPECT_EQ(ask(tokenless).code, 203);
  auto elsewhere = put_query(5, "y");
  elsewhere.target = NodeId{};
  EXPECT_EQ(ask(elsewhere).code, 203);
  salt = Bytes(65, 's');
  EXPECT_EQ(ask(put_query(5, "y")).code, 207);
  EXPECT_EQ(ask(get_query()).value, std::nullopt);
}

TEST_F(ServerTest, a_token_is_good_for_its_address_alone_and_for_ten_minutes_at_most) {
  auto query = put_query(4, "x");
  from = public_endpoint(1, 2);
  EXPECT_EQ(ask(query).code, 203);
  from = public_endpoint(1, 1);
  EXPECT_EQ(ask(query, Instant{} + Duration::from_s(301)).kind, krpc::Kind::response);
  EXPECT_EQ(ask(query, Instant{} + Duration::from_s(602)).code, 203);
}

TEST_F(ServerTest, items_expire_after_two_hours) {
  ask(put_query(4, "x"));
  EXPECT_TRUE(ask(get_query(), Instant{} + Duration::from_s(7199)).value);
  EXPECT_FALSE(ask(get_query(), Instant{} + Duration::from_s(7201)).value);
}

TEST_F(ServerTest, a_full_store_keeps_what_is_closest_to_its_own_id) {
  Settings settings;
  settings.stored_immutable_max = 10;
  Storage storage(settings, NodeId{});
  for (std::uint8_t i = 20; i < 40; ++i) storage.put_immutable(Instant{0}, id_of(i), {i});
  EXPECT_EQ(storage.immutable_size(), 10U);
  EXPECT_TRUE(storage.find_immutable(Instant{0}, id_of(20)));
  EXPECT_FALSE(storage.find_immutable(Instant{0}, id_of(39)));
  EXPECT_TRUE(storage.put_immutable(Instant{0}, id_of(1), {1}));
  EXPECT_FALSE(storage.find_immutable(Instant{0}, id_of(29)));
}

// One node asked one question; the test plays the only peer it knows.
class HostilePeer : public testing::Test {
 protected:
  HostilePeer() : node(settings(), entropy, Instant{1}) {
    node.add_bootstrap_nodes(Instant{1}, std::vector{peer});
    operation = node.get_mutable(Instant{1}, alice.public_key(), {}, {}).value();
  }

  static Settings settings() {
    Settings out;
    out.mode = Mode::client;
    return out;
  }

  // The transaction id of the `get` that the node sent to the peer.
  Bytes sent_get() {
    Bytes tid;
    while (auto effect = node.poll_effect()) {
      auto* const send = std::get_if<SendDatagram>(&*effect);
      if (send == nullptr) continue;
      auto const message = krpc::parse_message(send->payload);
      if (message && message->method == krpc::Method::get)
        tid = base::to_bytes(message->transaction_id);
    }
    return tid;
  }

  krpc::Message answer_with(MutableItem const& item, ByteView tid) {
    krpc::Message out;
    out.kind = krpc::Kind::response;
    out.transaction_id = tid;
    out.id = id_of(7);
    out.key = item.key;
    out.signature = item.signature;
    out.sequence = item.sequence;
    out.value = ByteView(item.value);
    return out;
  }

  MutableItem item_of(crypto::KeyPair const& pair, std::int64_t sequence) {
    MutableItem item;
    item.key = pair.public_key();
    item.sequence = sequence;
    item.value = wire::bencode::encode_string(base::view_of("x"));
    item.signature = pair.sign_now(krpc::signable({}, sequence, item.value));
    return item;
  }

  Outcome outcome_of(krpc::Message const& message, Endpoint const& from) {
    node.on_datagram(Instant{2}, from, krpc::encode_message(message));
    node.on_deadline(Instant{} + Duration::from_s(21));
    while (auto effect = node.poll_effect()) {
      if (auto* end = std::get_if<Finished>(&*effect); end != nullptr && end->id == operation) {
        return end->outcome;
      }
    }
    return {};
  }

  SeededEntropy entropy{1};
  crypto::KeyPair alice{crypto::Seed{}};
  Endpoint peer = public_endpoint(3, 3);
  Node node;
  OperationId operation{};
};

TEST_F(HostilePeer, an_honest_answer_is_taken) {
  Bytes const tid = sent_get();
  auto const item = item_of(alice, 5);
  auto const outcome = outcome_of(answer_with(item, tid), peer);
  EXPECT_EQ(outcome.item, item);
}

TEST_F(HostilePeer, another_keys_valid_item_is_counted_and_dropped) {
  Bytes const tid = sent_get();
  crypto::KeyPair const mallory{*crypto::Seed::from(Bytes(32, 9))};
  auto const item = item_of(mallory, 5);
  auto const outcome = outcome_of(answer_with(item, tid), peer);
  EXPECT_FALSE(outcome.item);
  EXPECT_EQ(outcome.tally.invalid, 1U);
}

TEST_F(HostilePeer, a_changed_value_sequence_or_signature_is_counted_and_dropped) {
  Bytes const tid = sent_get();
  auto item = item_of(alice, 5);
  item.sequence = 6;
  auto const outcome = outcome_of(answer_with(item, tid), peer);
  EXPECT_FALSE(outcome.item);
  EXPECT_EQ(outcome.tally.invalid, 1U);
}

TEST_F(HostilePeer, an_answer_from_elsewhere_is_ignored) {
  Bytes const tid = sent_get();
  auto const item = item_of(alice, 5);
  EXPECT_FALSE(outcome_of(answer_with(item, tid), public_endpoint(3, 4)).item);
}

TEST_F(HostilePeer, an_answer_with_a_guessed_transaction_id_is_ignored) {
  Bytes tid = sent_get();
  tid[0] ^= 1;
  auto const item = item_of(alice, 5);
  EXPECT_FALSE(outcome_of(answer_with(item, tid), peer).item);
}

TEST_F(HostilePeer, nodes_at_private_addresses_are_never_asked) {
  Bytes const tid = sent_get();
  krpc::Message answer;
  answer.kind = krpc::Kind::response;
  answer.transaction_id = tid;
  answer.id = id_of(7);
  answer.nodes = {{id_of(1), {IpAddress::v4({127, 0, 0, 1}), 80}},
                  {id_of(2), {IpAddress::v4({192, 168, 1, 1}), 80}},
                  {id_of(3), {IpAddress::v4({224, 0, 0, 1}), 80}}};
  node.on_datagram(Instant{2}, peer, krpc::encode_message(answer));
  while (auto effect = node.poll_effect()) {
    if (auto* send = std::get_if<SendDatagram>(&*effect)) {
      EXPECT_EQ(send->to, peer);
    }
  }
}

}  // namespace
}  // namespace dotkey::dht
