// SPDX-License-Identifier: Apache-2.0
#include "core/wire/krpc.h"

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/crypto/ed25519.h"
#include "core/wire/bencode.h"

#include "tests/support/json.h"

namespace dotkey::wire::krpc {
namespace {

namespace json = boost::json;
using base::Bytes;
using base::ByteView;
using base::encode_hex;
using base::Endpoint;
using base::text_of;
using base::view_of;
using test::hex_at;
using test::text_at;

json::array vectors_of(std::string const& file, char const* list) {
  return test::load_vectors(file).at(list).as_array();
}

NodeId id_of(std::string_view text) {
  return NodeId::from(view_of(text)).value();
}

NodeInfo node_at(std::string_view endpoint) {
  return {id_of("nnnnnnnnnnnnnnnnnnnn"), Endpoint::parse(endpoint).value()};
}

std::string_view name_of(Kind kind) {
  return kind == Kind::query ? "query" : kind == Kind::response ? "response" : "error";
}

std::string_view name_of(Method method) {
  constexpr std::string_view names[] = {"ping", "find_node", "get_peers", "announce_peer",
                                        "get",  "put",       "unknown"};
  return names[static_cast<std::size_t>(method)];
}

json::value hex_or_null(std::optional<ByteView> bytes) {
  return bytes ? json::value(encode_hex(*bytes)) : json::value();
}

template <std::size_t N, class Tag>
json::value hex_or_null(std::optional<base::FixedBytes<N, Tag>> const& bytes) {
  return bytes ? json::value(encode_hex(bytes->view())) : json::value();
}

template <class T>
json::value number_or_null(std::optional<T> const& number) {
  return number ? json::value(std::int64_t{*number}) : json::value();
}

json::array list_of(std::vector<NodeInfo> const& nodes) {
  json::array out;
  for (auto const& node : nodes) {
    out.push_back({{"id", encode_hex(node.id.view())}, {"endpoint", node.endpoint.to_string()}});
  }
  return out;
}

json::array list_of(std::vector<Endpoint> const& peers) {
  json::array out;
  for (auto const& peer : peers) out.push_back(json::value(peer.to_string()));
  return out;
}

// A message in the words of krpc.json.
json::object described(Message const& message) {
  json::object out;
  out["kind"] = name_of(message.kind);
  out["method"] = name_of(message.method);
  out["transaction_id"] = encode_hex(message.transaction_id);
  out["client_version"] = hex_or_null(message.client_version);
  out["observed"] = message.observed ? json::value(message.observed->to_string()) : json::value();
  out["read_only"] = message.read_only;
  out["id"] = hex_or_null(message.id);
  out["target"] = hex_or_null(message.target);
  out["token"] = hex_or_null(message.token);
  json::array want;
  if (message.want && message.want->n4) want.push_back("n4");
  if (message.want && message.want->n6) want.push_back("n6");
  out["want"] = want;
  out["nodes"] = list_of(message.nodes);
  out["peers"] = list_of(message.peers);
  out["port"] = number_or_null(message.port);
  out["implied_port"] = message.implied_port;
  out["value"] = hex_or_null(message.value);
  out["key"] = hex_or_null(message.key);
  out["signature"] = hex_or_null(message.signature);
  out["sequence"] = number_or_null(message.sequence);
  out["cas"] = number_or_null(message.cas);
  out["salt"] = hex_or_null(message.salt);
  out["code"] = message.code;
  out["description"] = text_of(message.description);
  return out;
}

TEST(krpc, valid_messages_are_read_as_their_vectors_say) {
  auto const vectors = vectors_of("krpc.json", "valid");
  ASSERT_GT(vectors.size(), 30U);
  for (auto const& vector : vectors) {
    SCOPED_TRACE(text_at(vector, "note"));
    Bytes const datagram = hex_at(vector, "hex");
    auto const message = parse_message(datagram);
    ASSERT_TRUE(message);
    auto const seen = described(*message);
    for (auto const& [field, expected] : vector.as_object()) {
      if (field == "note" || field == "hex" || field == "canonical") continue;
      EXPECT_EQ(seen.at(field), expected) << field;
    }
  }
}

TEST(krpc, canonical_messages_are_written_byte_for_byte) {
  for (auto const& vector : vectors_of("krpc.json", "valid")) {
    SCOPED_TRACE(text_at(vector, "note"));
    Bytes const datagram = hex_at(vector, "hex");
    auto const message = parse_message(datagram).value();
    if (message.kind == Kind::query && message.method == Method::unknown) continue;
    Bytes const written = encode_message(message);
    EXPECT_TRUE(bencode::is_canonical(written));
    EXPECT_EQ(described(parse_message(written).value()), described(message));
    EXPECT_EQ(written == datagram, vector.at("canonical").as_bool());
  }
}

TEST(krpc, invalid_messages_are_refused) {
  auto const vectors = vectors_of("krpc.json", "invalid");
  ASSERT_GT(vectors.size(), 60U);
  for (auto const& vector : vectors) {
    auto const message = parse_message(hex_at(vector, "hex"));
    ASSERT_FALSE(message) << text_at(vector, "note");
    EXPECT_EQ(message.error().code, base::ErrorCode::krpc_malformed);
  }
}

TEST(krpc, a_message_cut_anywhere_is_refused) {
  for (auto const& vector : vectors_of("krpc.json", "valid")) {
    Bytes const datagram = hex_at(vector, "hex");
    for (std::size_t size = 0; size < datagram.size(); ++size) {
      ASSERT_FALSE(parse_message(ByteView(datagram).first(size)))
          << text_at(vector, "note") << " at " << size;
    }
  }
}

TEST(krpc, nodes_are_split_by_family_and_come_back_together) {
  Message reply;
  reply.kind = Kind::response;
  reply.transaction_id = view_of("aaaa");
  reply.id = id_of("abcdefghij0123456789");
  reply.nodes = {node_at("[2001:db8::1]:6881"), node_at("192.0.2.1:6881"), node_at("192.0.2.2:1")};
  Bytes const bytes = encode_message(reply);
  auto const back = parse_message(bytes).value();
  EXPECT_EQ(back.nodes, (std::vector{reply.nodes[1], reply.nodes[2], reply.nodes[0]}));
}

TEST(krpc, a_find_node_reply_names_its_nodes_even_when_there_are_none) {
  Message reply;
  reply.kind = Kind::response;
  reply.method = Method::find_node;
  reply.transaction_id = view_of("aa");
  reply.id = id_of("abcdefghij0123456789");
  EXPECT_EQ(text_of(encode_message(reply)),
            "d1:rd2:id20:abcdefghij01234567895:nodes0:e1:t2:aa1:y1:re");
}

TEST(krpc, nodes_and_peers_behind_the_maxima_are_ignored) {
  Message reply;
  reply.kind = Kind::response;
  reply.transaction_id = view_of("aa");
  reply.id = id_of("abcdefghij0123456789");
  reply.nodes.assign(nodes_max + 3, node_at("192.0.2.1:6881"));
  Bytes bytes = encode_message(reply);
  EXPECT_EQ(parse_message(bytes)->nodes.size(), nodes_max);

  reply.nodes.clear();
  reply.peers.assign(peers_max + 3, Endpoint::parse("192.0.2.1:6881").value());
  bytes = encode_message(reply);
  EXPECT_EQ(parse_message(bytes)->peers.size(), peers_max);
}

TEST(krpc, a_put_is_written_with_its_target) {
  Message put;
  put.method = Method::put;
  put.transaction_id = view_of("aaaa");
  put.id = id_of("abcdefghij0123456789");
  put.token = view_of("t");
  put.value = view_of("12:Hello World!");
  Bytes const bytes = encode_message(put);
  EXPECT_NE(text_of(bytes).find("6:target20:"), std::string_view::npos);
  EXPECT_EQ(parse_message(bytes)->target, immutable_target(view_of("12:Hello World!")));
}

TEST(bep44, what_is_signed_is_the_text_of_the_specification) {
  for (auto const& vector : vectors_of("bep44.json", "signables")) {
    Bytes const signed_bytes =
        signable(hex_at(vector, "salt"), vector.at("sequence").as_int64(), hex_at(vector, "value"));
    EXPECT_EQ(text_of(signed_bytes), text_at(vector, "text"));
  }
}

TEST(bep44, mutable_items_have_their_target_and_signature) {
  auto const vectors = vectors_of("bep44.json", "items");
  ASSERT_EQ(vectors.size(), 3U);
  for (auto const& vector : vectors) {
    auto const key = crypto::PublicKey::from(hex_at(vector, "public_key")).value();
    auto signature = crypto::Signature::from(hex_at(vector, "signature")).value();
    Bytes const salt = hex_at(vector, "salt");
    Bytes const message = signable(salt, vector.at("sequence").as_int64(), hex_at(vector, "value"));
    EXPECT_EQ(encode_hex(message), text_at(vector, "signable"));
    EXPECT_EQ(encode_hex(mutable_target(key, salt).view()), text_at(vector, "target"));
    EXPECT_TRUE(crypto::verify(key, signature, message));
    if (vector.as_object().contains("seed")) {
      crypto::KeyPair const pair(crypto::Seed::from(hex_at(vector, "seed")).value());
      EXPECT_EQ(pair.public_key(), key);
      EXPECT_EQ(pair.sign_now(message), signature);
    }
    signature.bytes[0] ^= 1;
    EXPECT_FALSE(crypto::verify(key, signature, message));
  }
}

TEST(bep44, immutable_items_are_named_by_their_bencoded_value) {
  for (auto const& vector : vectors_of("bep44.json", "immutable")) {
    Bytes const value = bencode::encode_string(hex_at(vector, "content"));
    EXPECT_EQ(encode_hex(value), text_at(vector, "value"));
    EXPECT_EQ(encode_hex(immutable_target(value).view()), text_at(vector, "target"));
  }
}

}  // namespace
}  // namespace dotkey::wire::krpc
