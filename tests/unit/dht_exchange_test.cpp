// SPDX-License-Identifier: Apache-2.0
// What the DHT node stores for others, and what hostile peers make of its questions.
#include <gtest/gtest.h>

#include "core/crypto/ed25519.h"
#include "core/dht/node.h"
#include "core/dht/server.h"
#include "core/wire/bencode.h"

#include "tests/unit/dht_parts_fixture.h"

namespace dotkey::dht {
namespace {

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
