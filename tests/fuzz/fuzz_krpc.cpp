// SPDX-License-Identifier: Apache-2.0
// KRPC: a message that is accepted keeps every field when it is written and read again.
#include "core/base/assert.h"
#include "core/wire/bencode.h"
#include "core/wire/krpc.h"

namespace dotkey::wire::krpc {
namespace {

bool is_same(std::optional<base::ByteView> a, std::optional<base::ByteView> b) {
  return a.has_value() == b.has_value() && (!a || base::equal(*a, *b));
}

void assert_same(Message const& a, Message const& b) {
  DOTKEY_ASSERT(a.kind == b.kind && a.method == b.method);
  DOTKEY_ASSERT(base::equal(a.transaction_id, b.transaction_id));
  DOTKEY_ASSERT(is_same(a.client_version, b.client_version));
  DOTKEY_ASSERT(a.observed == b.observed && a.read_only == b.read_only);
  DOTKEY_ASSERT(a.id == b.id && a.target == b.target && is_same(a.token, b.token));
  DOTKEY_ASSERT(a.want == b.want && a.nodes == b.nodes && a.peers == b.peers);
  DOTKEY_ASSERT(a.port == b.port && a.implied_port == b.implied_port);
  DOTKEY_ASSERT(is_same(a.value, b.value) && is_same(a.salt, b.salt));
  DOTKEY_ASSERT(a.key == b.key && a.signature == b.signature);
  DOTKEY_ASSERT(a.sequence == b.sequence && a.cas == b.cas);
  DOTKEY_ASSERT(a.code == b.code && base::equal(a.description, b.description));
}

void assert_bounded(Message const& message) {
  DOTKEY_ASSERT(message.transaction_id.size() <= transaction_id_size_max);
  DOTKEY_ASSERT(message.nodes.size() <= 2 * nodes_max && message.peers.size() <= peers_max);
  DOTKEY_ASSERT(!message.token || message.token->size() <= token_size_max);
  for (auto const& node : message.nodes) DOTKEY_ASSERT(node.endpoint.port != 0);
  for (auto const& peer : message.peers) DOTKEY_ASSERT(peer.port != 0);
}

void check(base::ByteView input) {
  auto const message = parse_message(input);
  if (!message) return;
  assert_bounded(*message);
  // The name of an unknown method is not kept, so such a query cannot be written.
  if (message->kind == Kind::query && message->method == Method::unknown) return;
  base::Bytes const written = encode_message(*message);
  auto const again = parse_message(written);
  DOTKEY_ASSERT(again);
  assert_same(*message, *again);
  DOTKEY_ASSERT(base::equal(encode_message(*again), written));
  bool const value_is_canonical = !message->value || bencode::is_canonical(*message->value);
  DOTKEY_ASSERT(bencode::is_canonical(written) == value_is_canonical);
}

}  // namespace
}  // namespace dotkey::wire::krpc

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dotkey::wire::krpc::check({data, size});
  return 0;
}
