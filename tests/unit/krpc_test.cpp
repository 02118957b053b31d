// SPDX-License-Identifier: Apache-2.0
#include "core/wire/krpc.h"

#include <gtest/gtest.h>

namespace dotkey::wire::krpc {
namespace {

using base::Bytes;
using base::Endpoint;
using base::text_of;
using base::view_of;

NodeId id_of(std::string_view text) {
  return NodeId::from(view_of(text)).value();
}

NodeInfo node_at(std::string_view endpoint) {
  return {id_of("nnnnnnnnnnnnnnnnnnnn"), Endpoint::parse(endpoint).value()};
}

TEST(krpc, a_find_node_query_has_the_bytes_of_bep_5) {
  Message query;
  query.method = Method::find_node;
  query.transaction_id = view_of("aa");
  query.id = id_of("abcdefghij0123456789");
  query.target = id_of("mnopqrstuvwxyz123456");
  EXPECT_EQ(
      text_of(encode_message(query)),
      "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:"
      "qe");
}

TEST(krpc, nodes_are_split_by_family_and_come_back_together) {
  Message reply;
  reply.kind = Kind::response;
  reply.transaction_id = view_of("aaaa");
  reply.id = id_of("abcdefghij0123456789");
  reply.nodes = {node_at("192.0.2.1:6881"), node_at("192.0.2.2:1"), node_at("[2001:db8::1]:6881")};
  Bytes const bytes = encode_message(reply);
  auto const back = parse_message(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->nodes, reply.nodes);
  EXPECT_EQ(back->id, reply.id);
  EXPECT_EQ(text_of(back->transaction_id), "aaaa");
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

}  // namespace
}  // namespace dotkey::wire::krpc
