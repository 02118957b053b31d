// SPDX-License-Identifier: Apache-2.0
// KRPC messages a second on one core: what a DHT node reads and writes all day.
#include <benchmark/benchmark.h>

#include "core/wire/bencode.h"
#include "core/wire/krpc.h"

namespace dotkey::wire::krpc {
namespace {

template <class Fixed>
Fixed filled(std::uint8_t byte) {
  Fixed out;
  out.bytes.fill(byte);
  return out;
}

Message find_node_query() {
  Message out;
  out.method = Method::find_node;
  out.transaction_id = base::view_of("abcd");
  out.id = filled<NodeId>(1);
  out.target = filled<NodeId>(2);
  return out;
}

Message find_node_reply() {
  Message out;
  out.kind = Kind::response;
  out.transaction_id = base::view_of("abcd");
  out.id = filled<NodeId>(1);
  for (std::uint8_t i = 1; i <= 8; ++i) {
    out.nodes.push_back({filled<NodeId>(i), {base::IpAddress::v4({192, 0, 2, i}), 6881}});
  }
  return out;
}

// The largest message of a lookup: a full item and eight nodes.
Message get_reply() {
  static base::Bytes const value = bencode::encode_string(base::Bytes(996, 'x'));
  Message out = find_node_reply();
  out.key = filled<crypto::PublicKey>(7);
  out.signature = filled<crypto::Signature>(8);
  out.sequence = 1'700'000'000'000'000;
  out.token = base::view_of("12345678");
  out.value = value;
  return out;
}

void encode(benchmark::State& state, Message const& message) {
  for (auto _ : state) benchmark::DoNotOptimize(encode_message(message));
  state.SetItemsProcessed(state.iterations());
}

void parse(benchmark::State& state, Message const& message) {
  base::Bytes const datagram = encode_message(message);
  for (auto _ : state) benchmark::DoNotOptimize(parse_message(datagram));
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(parse, find_node_query, find_node_query());
BENCHMARK_CAPTURE(parse, find_node_reply_of_8, find_node_reply());
BENCHMARK_CAPTURE(parse, get_reply_of_1000_bytes, get_reply());
BENCHMARK_CAPTURE(encode, find_node_query, find_node_query());
BENCHMARK_CAPTURE(encode, find_node_reply_of_8, find_node_reply());
BENCHMARK_CAPTURE(encode, get_reply_of_1000_bytes, get_reply());

}  // namespace
}  // namespace dotkey::wire::krpc
