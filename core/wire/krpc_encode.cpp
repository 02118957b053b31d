// SPDX-License-Identifier: Apache-2.0
// The writing half of KRPC, and the byte strings of BEP 44 that are signed and hashed.
#include <algorithm>

#include "core/base/assert.h"
#include "core/base/integers.h"
#include "core/crypto/hash.h"
#include "core/wire/bencode.h"
#include "core/wire/krpc.h"
#include "core/wire/krpc_forms.h"

namespace dotkey::wire::krpc {

using base::Bytes;
using base::ByteView;
using base::Endpoint;

namespace {

std::string_view name_of(Method method) {
  for (auto const& entry : method_names) {
    if (entry.method == method) return entry.name;
  }
  return {};
}

// Writes one message. The calls of each function stand in the order of the dictionary's keys.
class Encoder {
 public:
  explicit Encoder(Bytes& out) : writer_(out), out_(out) {}

  void message(Message const& message);

 private:
  void arguments(Message const& message);
  void values(Message const& message);
  void nodes(std::string_view key, Message const& message, base::IpFamily family, bool always);
  void peers(std::vector<Endpoint> const& peers);
  void want(Want const& want);

  void field(std::string_view key, std::int64_t value) {
    writer_.string(key);
    writer_.integer(value);
  }
  void field(std::string_view key, ByteView value) {
    writer_.string(key);
    writer_.string(value);
  }
  void field(std::string_view key, std::string_view value) { field(key, base::view_of(value)); }
  template <std::size_t N, class Tag>
  void field(std::string_view key, base::FixedBytes<N, Tag> const& value) {
    field(key, value.view());
  }
  template <class T>
  void field_if(std::string_view key, std::optional<T> const& value) {
    if (value) field(key, *value);
  }
  void raw_if(std::string_view key, std::optional<ByteView> encoded) {
    if (!encoded) return;
    writer_.string(key);
    writer_.raw(*encoded);
  }
  void append_endpoint(Endpoint const& endpoint) {
    base::append(out_, endpoint.address.bytes());
    base::append_be(out_, endpoint.port);
  }

  bencode::Writer writer_;
  Bytes& out_;
};

void Encoder::nodes(std::string_view key, Message const& message, base::IpFamily family,
                    bool always) {
  auto const count = static_cast<std::size_t>(std::count_if(
      message.nodes.begin(), message.nodes.end(),
      [family](NodeInfo const& node) { return node.endpoint.address.family() == family; }));
  if (count == 0 && !always) return;
  writer_.string(key);
  writer_.begin_string(count * (family == base::IpFamily::v4 ? node_v4_size : node_v6_size));
  for (auto const& node : message.nodes) {
    if (node.endpoint.address.family() != family) continue;
    base::append(out_, node.id.view());
    append_endpoint(node.endpoint);
  }
}

void Encoder::peers(std::vector<Endpoint> const& peers) {
  if (peers.empty()) return;
  writer_.string("values");
  writer_.begin_list();
  for (auto const& peer : peers) {
    writer_.begin_string(peer.address.is_v4() ? endpoint_v4_size : endpoint_v6_size);
    append_endpoint(peer);
  }
  writer_.end();
}

void Encoder::want(Want const& want) {
  writer_.string("want");
  writer_.begin_list();
  if (want.n4) writer_.string("n4");
  if (want.n6) writer_.string("n6");
  writer_.end();
}

void Encoder::arguments(Message const& message) {
  bool const of_swarm =
      message.method == Method::get_peers || message.method == Method::announce_peer;
  auto target = message.target;
  if (message.method == Method::put && !target) target = put_target(message);
  writer_.begin_dictionary();
  field_if("cas", message.cas);
  field_if("id", message.id);
  if (message.implied_port) field("implied_port", 1);
  if (of_swarm) field_if("info_hash", target);
  field_if("k", message.key);
  if (message.port) field("port", std::int64_t{*message.port});
  field_if("salt", message.salt);
  field_if("seq", message.sequence);
  field_if("sig", message.signature);
  if (!of_swarm) field_if("target", target);
  field_if("token", message.token);
  raw_if("v", message.value);
  if (message.want) want(*message.want);
  writer_.end();
}

void Encoder::values(Message const& message) {
  writer_.begin_dictionary();
  field_if("id", message.id);
  field_if("k", message.key);
  nodes("nodes", message, base::IpFamily::v4, message.method == Method::find_node);
  nodes("nodes6", message, base::IpFamily::v6, false);
  field_if("seq", message.sequence);
  field_if("sig", message.signature);
  field_if("token", message.token);
  raw_if("v", message.value);
  peers(message.peers);
  writer_.end();
}

void Encoder::message(Message const& message) {
  bool const is_query = message.kind == Kind::query;
  writer_.begin_dictionary();
  if (is_query) {
    writer_.string("a");
    arguments(message);
  }
  if (message.kind == Kind::error) {
    writer_.string("e");
    writer_.begin_list();
    writer_.integer(message.code);
    writer_.string(message.description);
    writer_.end();
  }
  if (message.observed) {
    bool const is_v4 = message.observed->address.is_v4();
    writer_.string("ip");
    writer_.begin_string(is_v4 ? endpoint_v4_size : endpoint_v6_size);
    append_endpoint(*message.observed);
  }
  if (is_query) field("q", name_of(message.method));
  if (message.kind == Kind::response) {
    writer_.string("r");
    values(message);
  }
  if (message.read_only) field("ro", 1);
  field("t", message.transaction_id);
  field_if("v", message.client_version);
  field("y", is_query ? "q" : message.kind == Kind::response ? "r" : "e");
  writer_.end();
}

// Enough for the whole message, so that encoding allocates once.
std::size_t size_bound(Message const& message) {
  std::size_t const fixed = 512;  // every key, number and string of fixed length together
  return fixed + message.transaction_id.size() + message.description.size() +
         message.client_version.value_or(ByteView{}).size() +
         message.token.value_or(ByteView{}).size() + message.value.value_or(ByteView{}).size() +
         message.salt.value_or(ByteView{}).size() + message.nodes.size() * node_v6_size +
         message.peers.size() * (endpoint_v6_size + 3);
}

}  // namespace

NodeId put_target(Message const& message) {
  if (message.key) return mutable_target(*message.key, message.salt.value_or(ByteView{}));
  return immutable_target(*message.value);
}

Bytes encode_message(Message const& message) {
  DOTKEY_ASSERT(message.kind != Kind::query || message.method != Method::unknown);
  DOTKEY_ASSERT(message.kind == Kind::error || message.id);
  DOTKEY_ASSERT(message.kind != Kind::query || message.method != Method::put || message.value);
  Bytes out;
  out.reserve(size_bound(message));
  Encoder(out).message(message);
  return out;
}

Bytes signable(ByteView salt, std::int64_t sequence, ByteView value) {
  Bytes out;
  out.reserve(salt.size() + value.size() + 48);
  bencode::Writer writer(out);
  if (!salt.empty()) {
    writer.string("salt");
    writer.string(salt);
  }
  writer.string("seq");
  writer.integer(sequence);
  writer.string("v");
  writer.raw(value);
  return out;
}

NodeId immutable_target(ByteView value) {
  return NodeId{crypto::sha1({value})};
}

NodeId mutable_target(crypto::PublicKey const& key, ByteView salt) {
  return NodeId{crypto::sha1({key.view(), salt})};
}

}  // namespace dotkey::wire::krpc
