// SPDX-License-Identifier: Apache-2.0
// The DHT node against other nodes of its own kind; parts of it are tested in dht_parts_test.cpp.
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/crypto/ed25519.h"
#include "core/wire/bencode.h"

#include "tests/support/datagram_net.h"

namespace dotkey::dht {
namespace {

using test::DatagramNet;

constexpr std::uint16_t first_port = 10'000;

Endpoint endpoint_of(std::size_t index) {
  return {IpAddress::v4({127, 0, 0, 1}), static_cast<std::uint16_t>(first_port + index)};
}

MutableItem sign_item(crypto::KeyPair const& pair, std::int64_t sequence, std::string_view text,
                      std::string_view salt = "") {
  MutableItem item;
  item.key = pair.public_key();
  item.salt = base::to_bytes(salt);
  item.sequence = sequence;
  item.value = wire::bencode::encode_string(base::view_of(text));
  item.signature = pair.sign_now(wire::krpc::signable(item.salt, sequence, item.value));
  return item;
}

class DhtTest : public testing::Test {
 protected:
  static constexpr std::size_t nodes = 30;

  void SetUp() override { grow(nodes); }

  void grow(std::size_t count) {
    Settings settings;
    settings.mode = Mode::server;
    for (std::size_t i = 0; i < count; ++i)
      net.add(settings, endpoint_of(i).port, {endpoint_of(0)});
    net.run(Duration::from_s(60), [] { return false; });
  }

  Node& client(std::size_t index = 500) {
    Settings settings;
    settings.mode = Mode::client;
    return net.add(settings, endpoint_of(index).port, {endpoint_of(0)});
  }

  Outcome put(Node& node, MutableItem const& item, PutOptions const& options = {}) {
    return net.finish(node.put_mutable(net.now, item, options).value());
  }

  Outcome get(Node& node, crypto::PublicKey const& key, std::string_view salt = "",
              GetOptions const& options = {}) {
    return net.finish(node.get_mutable(net.now, key, base::view_of(salt), options).value());
  }

  DatagramNet net{1};
  crypto::KeyPair alice{crypto::Seed{}};
};

TEST_F(DhtTest, nodes_of_a_small_network_come_to_know_each_other) {
  for (std::size_t i = 0; i < nodes; ++i) {
    EXPECT_GE(net.at(endpoint_of(i)).status().nodes_v4, k_nodes) << i;
  }
}

TEST_F(DhtTest, an_item_put_by_one_is_found_by_another) {
  auto const item = sign_item(alice, 7, "hello");
  auto const stored = put(client(500), item);
  EXPECT_FALSE(stored.error);
  EXPECT_GE(stored.stored, k_nodes);
  auto const found = get(client(501), item.key);
  ASSERT_TRUE(found.item);
  EXPECT_EQ(*found.item, item);
  EXPECT_EQ(net.found_items.size(), 1U);
}

TEST_F(DhtTest, an_item_outlives_its_publisher) {
  put(client(500), sign_item(alice, 7, "hello"));
  net.remove(endpoint_of(500));
  EXPECT_TRUE(get(client(501), alice.public_key()).item);
}

TEST_F(DhtTest, what_nobody_stored_is_not_found_and_not_a_network_failure) {
  auto const outcome = get(client(), alice.public_key());
  EXPECT_EQ(outcome.error, base::ErrorCode::dht_not_found);
  EXPECT_GT(outcome.tally.responded, 0U);
}

TEST_F(DhtTest, salts_name_different_items_of_one_key) {
  put(client(500), sign_item(alice, 1, "plain"));
  put(client(501), sign_item(alice, 1, "salted", "mail"));
  EXPECT_EQ(base::text_of(get(client(502), alice.public_key()).item->value), "5:plain");
  EXPECT_EQ(base::text_of(get(client(503), alice.public_key(), "mail").item->value), "6:salted");
}

TEST_F(DhtTest, an_older_sequence_is_refused_and_the_newer_item_is_shown) {
  auto const newer = sign_item(alice, 9, "newer");
  put(client(500), newer);
  auto const outcome = put(client(501), sign_item(alice, 8, "older"));
  EXPECT_EQ(outcome.error, base::ErrorCode::dht_newer_exists);
  ASSERT_TRUE(outcome.item);
  EXPECT_EQ(*outcome.item, newer);
  EXPECT_EQ(outcome.stored, 0U);
}

TEST_F(DhtTest, of_two_values_with_one_sequence_the_larger_stays) {
  put(client(500), sign_item(alice, 9, "b"));
  EXPECT_EQ(put(client(501), sign_item(alice, 9, "a")).error, base::ErrorCode::dht_newer_exists);
  EXPECT_FALSE(put(client(502), sign_item(alice, 9, "c")).error);
  EXPECT_EQ(base::text_of(get(client(503), alice.public_key()).item->value), "1:c");
}

TEST_F(DhtTest, cas_stores_only_over_the_sequence_it_names) {
  put(client(500), sign_item(alice, 5, "first"));
  EXPECT_EQ(put(client(501), sign_item(alice, 7, "third"), {.cas = 6}).error,
            base::ErrorCode::dht_cas_mismatch);
  EXPECT_FALSE(put(client(502), sign_item(alice, 7, "third"), {.cas = 5}).error);
}

TEST_F(DhtTest, a_get_for_newer_items_only_says_so_when_there_is_none) {
  put(client(500), sign_item(alice, 5, "x"));
  auto const outcome = get(client(501), alice.public_key(), "", {.newer_than = 5});
  EXPECT_FALSE(outcome.item);
  EXPECT_GT(outcome.tally.no_more_recent, 0U);
  EXPECT_TRUE(get(client(502), alice.public_key(), "", {.newer_than = 4}).item);
}

TEST_F(DhtTest, immutable_items_are_found_by_their_hash) {
  Bytes const value = wire::bencode::encode_string(base::view_of("Hello World!"));
  auto const stored = net.finish(client(500).put_immutable(net.now, value).value());
  EXPECT_GE(stored.stored, k_nodes);
  auto const target = wire::krpc::immutable_target(value);
  auto const found = net.finish(client(501).get_immutable(net.now, target).value());
  EXPECT_EQ(found.value, value);
}

TEST_F(DhtTest, an_announced_peer_is_found) {
  auto const swarm = *NodeId::from(Bytes(20, 0x5a));
  auto const announced = net.finish(client(500).announce_peer(net.now, swarm, 4321).value());
  EXPECT_GE(announced.stored, k_nodes);
  auto const found = net.finish(client(501).get_peers(net.now, swarm).value());
  ASSERT_EQ(found.peers.size(), 1U);
  EXPECT_EQ(found.peers[0].port, 4321);
}

TEST_F(DhtTest, a_put_and_a_get_among_dead_nodes_end_within_300_ms) {
  for (std::size_t i = 1; i <= 6; ++i) net.remove(endpoint_of(i));
  auto& publisher = net.at(endpoint_of(20));
  auto const before = net.now;
  auto const stored = put(publisher, sign_item(alice, 1, "x"));
  EXPECT_GE(stored.stored, k_nodes)
      << stored.tally.queried << " asked, " << stored.tally.responded << " answered, "
      << stored.tally.timeouts << " silent, " << stored.closest.size() << " closest";
  EXPECT_LT((net.now - before).ms(), 300);
  auto const middle = net.now;
  net.finished.clear();
  EXPECT_TRUE(get(net.at(endpoint_of(21)), alice.public_key()).item);
  EXPECT_LT((net.now - middle).ms(), 300);
}

TEST_F(DhtTest, every_datagram_fits_an_unfragmented_packet) {
  put(client(500), sign_item(alice, 1, std::string(996, 'x')));
  EXPECT_TRUE(get(client(501), alice.public_key()).item);
  EXPECT_LE(net.largest_datagram, 1400U);
}

TEST_F(DhtTest, a_value_over_a_thousand_bytes_is_refused_before_it_is_sent) {
  auto const item = sign_item(alice, 1, std::string(997, 'x'));
  EXPECT_EQ(client().put_mutable(net.now, item, {}).error().code,
            base::ErrorCode::record_too_large);
}

TEST_F(DhtTest, a_restored_node_finds_items_without_any_bootstrap_node) {
  put(client(500), sign_item(alice, 1, "x"));
  auto const state = net.at(endpoint_of(20)).encode_state();
  test::SeededEntropy entropy(3);
  Settings settings;
  settings.allow_local_network = true;
  Node restored(settings, entropy, net.now, state);
  auto const id = restored.get_mutable(net.now, alice.public_key(), {}, {});
  std::size_t asked = 0;
  while (auto effect = restored.poll_effect()) {
    asked += std::holds_alternative<SendDatagram>(*effect) ? 1U : 0U;
  }
  EXPECT_TRUE(id);
  EXPECT_GT(asked, 0U);
}

TEST(DhtAlone, without_any_node_it_asks_for_bootstrap_and_then_fails_with_no_nodes) {
  DatagramNet net(2);
  auto& node = net.add(Settings{}, 1, {});
  crypto::KeyPair const pair{crypto::Seed{}};
  auto const outcome = net.finish(node.get_mutable(net.now, pair.public_key(), {}, {}).value());
  EXPECT_EQ(outcome.error, base::ErrorCode::dht_no_nodes);
  EXPECT_GT(net.resolve_requests, 0U);
}

TEST(DhtAlone, bootstrap_nodes_that_never_answer_end_in_no_responses) {
  DatagramNet net(2);
  auto& node = net.add(Settings{}, 1, {endpoint_of(9)});
  crypto::KeyPair const pair{crypto::Seed{}};
  auto const outcome = net.finish(node.get_mutable(net.now, pair.public_key(), {}, {}).value());
  EXPECT_EQ(outcome.error, base::ErrorCode::dht_no_responses);
}

TEST(DhtAlone, a_cancelled_operation_ends_once_and_says_so) {
  DatagramNet net(2);
  auto& node = net.add(Settings{}, 1, {endpoint_of(9)});
  auto const id = node.find_node(net.now, NodeId{}).value();
  node.cancel(net.now, id);
  node.cancel(net.now, id);
  EXPECT_EQ(net.finish(id).error, base::ErrorCode::cancelled);
}

TEST(DhtAlone, a_query_of_an_unknown_method_without_an_id_gets_an_error_and_no_ping) {
  test::SeededEntropy entropy(2);
  Settings settings;
  settings.mode = Mode::server;
  settings.allow_local_network = true;
  Node node(settings, entropy, Instant{1});
  while (node.poll_effect()) {
  }
  node.on_datagram(Instant{2}, endpoint_of(9), base::view_of("d1:q3:foo1:t2:aa1:y1:qe"));
  std::vector<std::string> sent;
  while (auto effect = node.poll_effect()) {
    auto const* const datagram = std::get_if<SendDatagram>(&*effect);
    if (datagram != nullptr) sent.emplace_back(base::text_of(datagram->payload));
  }
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_NE(sent[0].find("i204e"), std::string::npos);
}

TEST(DhtAlone, ipv6_networks_work_like_ipv4_ones) {
  DatagramNet net(4);
  Settings settings;
  settings.mode = Mode::server;
  settings.ipv4 = false;
  settings.ipv6 = true;
  Endpoint const first{IpAddress::parse("::1").value(), first_port};
  for (std::uint16_t i = 0; i < 25; ++i)
    net.add(settings, static_cast<std::uint16_t>(first_port + i), {first});
  net.run(Duration::from_s(60), [] { return false; });
  crypto::KeyPair const pair{crypto::Seed{}};
  auto const item = sign_item(pair, 1, "six");
  settings.mode = Mode::client;
  auto& client = net.add(settings, 20'000, {first});
  EXPECT_GE(net.finish(client.put_mutable(net.now, item, {}).value()).stored, k_nodes);
  EXPECT_TRUE(net.finish(client.get_mutable(net.now, item.key, {}, {}).value()).item);
}

}  // namespace
}  // namespace dotkey::dht
