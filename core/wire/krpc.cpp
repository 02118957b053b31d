// SPDX-License-Identifier: Apache-2.0
// The reading half of KRPC.
#include "core/wire/krpc.h"

#include "core/base/integers.h"
#include "core/wire/bencode.h"
#include "core/wire/krpc_forms.h"

namespace dotkey::wire::krpc {

using base::ByteView;
using base::Endpoint;
using base::ErrorCode;
using base::IpAddress;
using bencode::Cursor;

namespace {

// A key of at most seven bytes as a number, so that a switch can find it; 0 for longer keys.
constexpr std::uint64_t packed(ByteView key) {
  if (key.size() > 7) return 0;
  std::uint64_t out = key.size();
  for (std::uint8_t const byte : key) out = out << 8 | byte;
  return out;
}

template <std::size_t N>
constexpr std::uint64_t packed(char const (&key)[N]) {
  static_assert(N - 1 <= 7);
  std::uint64_t out = N - 1;
  for (std::size_t i = 0; i + 1 < N; ++i) out = out << 8 | static_cast<std::uint8_t>(key[i]);
  return out;
}

// The readers below take one value from the cursor. They are false for a value of the wrong type,
// and for a second value of the same key.

bool take_string(Cursor& cursor, std::optional<ByteView>& out) {
  if (out) return false;
  out = cursor.string();
  return out.has_value();
}

bool take_raw(Cursor& cursor, std::optional<ByteView>& out) {
  if (out) return false;
  out = cursor.skip();
  return out.has_value();
}

bool take_integer(Cursor& cursor, std::optional<std::int64_t>& out) {
  if (out) return false;
  out = cursor.integer();
  return out.has_value();
}

template <class Fixed>
bool take_fixed(Cursor& cursor, std::optional<Fixed>& out) {
  if (out) return false;
  auto const bytes = cursor.string();
  if (!bytes) return false;
  out = Fixed::from(*bytes);
  return out.has_value();
}

bool take_port(Cursor& cursor, std::optional<std::uint16_t>& out) {
  std::optional<std::int64_t> value;
  if (out || !take_integer(cursor, value) || *value < 0 || *value > 0xffff) return false;
  out = static_cast<std::uint16_t>(*value);
  return true;
}

bool take_want(Cursor& cursor, std::optional<Want>& out) {
  if (out || !cursor.enter_list()) return false;
  out.emplace();
  while (cursor.peek() == bencode::Kind::string) {
    auto const family = cursor.string();
    if (!family) return false;
    out->n4 |= base::equal(*family, base::view_of("n4"));
    out->n6 |= base::equal(*family, base::view_of("n6"));
  }
  return cursor.leave();
}

// Address and port in network order. Nothing for another size, port 0, or IPv4 dressed as IPv6,
// which would let one host stand in a table of the other family.
std::optional<Endpoint> parse_endpoint(ByteView bytes) {
  if (bytes.size() != endpoint_v4_size && bytes.size() != endpoint_v6_size) return std::nullopt;
  ByteView const address_bytes = bytes.first(bytes.size() - 2);
  auto const address = IpAddress::from_bytes(address_bytes);
  auto const port = base::read_be<std::uint16_t>(bytes, address_bytes.size());
  if (!address || address->bytes().size() != address_bytes.size() || port == 0) return std::nullopt;
  return Endpoint{*address, port};
}

// `nodes` and `nodes6` hold entries of `entry_size` bytes. False when the size does not fit.
bool parse_nodes(ByteView bytes, std::size_t entry_size, std::vector<NodeInfo>& out) {
  if (bytes.size() % entry_size != 0) return false;
  std::size_t const count = std::min(bytes.size() / entry_size, nodes_max);
  out.reserve(out.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    ByteView const entry = bytes.subspan(i * entry_size, entry_size);
    auto const endpoint = parse_endpoint(entry.subspan(NodeId::size));
    if (!endpoint) continue;
    NodeInfo& node = out.emplace_back();
    std::copy_n(entry.begin(), NodeId::size, node.id.bytes.begin());
    node.endpoint = *endpoint;
  }
  return true;
}

bool parse_peers(ByteView list, std::vector<Endpoint>& out) {
  Cursor cursor(list);
  if (!cursor.enter_list()) return false;
  while (cursor.peek() == bencode::Kind::string) {
    auto const bytes = cursor.string();
    if (!bytes) return false;
    auto const peer = parse_endpoint(*bytes);
    if (peer && out.size() < peers_max) out.push_back(*peer);
  }
  return cursor.leave();
}

// The arguments of a query. `out.method` is known already, though `q` follows them on the wire.
bool parse_arguments(ByteView dictionary, Message& out) {
  Cursor cursor(dictionary);
  std::optional<NodeId> target;
  std::optional<NodeId> info_hash;
  std::optional<std::int64_t> implied_port;
  auto const take = [&](ByteView key) {
    switch (packed(key)) {
      case packed("cas"):
        return take_integer(cursor, out.cas);
      case packed("id"):
        return take_fixed(cursor, out.id);
      case packed("k"):
        return take_fixed(cursor, out.key);
      case packed("port"):
        return take_port(cursor, out.port);
      case packed("salt"):
        return take_string(cursor, out.salt);
      case packed("seq"):
        return take_integer(cursor, out.sequence);
      case packed("sig"):
        return take_fixed(cursor, out.signature);
      case packed("target"):
        return take_fixed(cursor, target);
      case packed("token"):
        return take_string(cursor, out.token);
      case packed("v"):
        return take_raw(cursor, out.value);
      case packed("want"):
        return take_want(cursor, out.want);
      default:
        break;
    }
    if (base::equal(key, base::view_of("info_hash"))) return take_fixed(cursor, info_hash);
    if (base::equal(key, base::view_of("implied_port"))) return take_integer(cursor, implied_port);
    return cursor.skip().has_value();
  };
  if (!cursor.enter_dictionary()) return false;
  while (cursor.peek() == bencode::Kind::string) {
    auto const key = cursor.string();
    if (!key || !take(*key)) return false;
  }
  if (!cursor.leave()) return false;
  bool const of_swarm = out.method == Method::get_peers || out.method == Method::announce_peer;
  out.target = of_swarm ? info_hash : target;
  out.implied_port = implied_port.value_or(0) != 0;
  if (out.salt && out.salt->empty()) out.salt.reset();  // BEP 44: the same as none
  return true;
}

bool parse_values(ByteView dictionary, Message& out) {
  Cursor cursor(dictionary);
  std::optional<ByteView> nodes;
  std::optional<ByteView> nodes6;
  std::optional<ByteView> values;
  auto const take = [&](ByteView key) {
    switch (packed(key)) {
      case packed("id"):
        return take_fixed(cursor, out.id);
      case packed("k"):
        return take_fixed(cursor, out.key);
      case packed("nodes"):
        return take_string(cursor, nodes);
      case packed("nodes6"):
        return take_string(cursor, nodes6);
      case packed("seq"):
        return take_integer(cursor, out.sequence);
      case packed("sig"):
        return take_fixed(cursor, out.signature);
      case packed("token"):
        return take_string(cursor, out.token);
      case packed("v"):
        return take_raw(cursor, out.value);
      case packed("values"):
        return take_raw(cursor, values);
      default:
        return cursor.skip().has_value();
    }
  };
  if (!cursor.enter_dictionary()) return false;
  while (cursor.peek() == bencode::Kind::string) {
    auto const key = cursor.string();
    if (!key || !take(*key)) return false;
  }
  return cursor.leave() && (!nodes || parse_nodes(*nodes, node_v4_size, out.nodes)) &&
         (!nodes6 || parse_nodes(*nodes6, node_v6_size, out.nodes)) &&
         (!values || parse_peers(*values, out.peers));
}

bool parse_error(ByteView list, Message& out) {
  Cursor cursor(list);
  if (!cursor.enter_list()) return false;
  auto const code = cursor.integer();
  auto const description = cursor.string();
  if (!code || !description) return false;
  out.code = *code;
  out.description = *description;
  return cursor.leave();
}

Method method_of(ByteView name) {
  for (auto const& entry : method_names) {
    if (entry.name == base::text_of(name)) return entry.method;
  }
  return Method::unknown;
}

// What BEP 5 and BEP 44 ask of each method. Nothing is asked of an unknown one: it is answered with
// an error that needs the transaction id alone.
bool is_complete_query(Message const& message) {
  if (message.method == Method::unknown) return true;
  if (!message.id) return false;
  switch (message.method) {
    case Method::find_node:
    case Method::get_peers:
    case Method::get:
      return message.target.has_value();
    case Method::announce_peer:
      return message.target && message.token &&
             (message.implied_port || message.port.value_or(0) != 0);
    case Method::put: {
      bool const is_mutable = message.key || message.signature;
      bool const is_signed = message.key && message.signature && message.sequence;
      return message.token && message.value && (!is_mutable || is_signed);
    }
    default:
      return true;
  }
}

// The outer dictionary, its containers not yet read.
struct Envelope {
  std::optional<ByteView> arguments;       // a
  std::optional<ByteView> error;           // e
  std::optional<ByteView> observed;        // ip
  std::optional<ByteView> method;          // q
  std::optional<ByteView> values;          // r
  std::optional<std::int64_t> read_only;   // ro
  std::optional<ByteView> transaction_id;  // t
  std::optional<ByteView> version;         // v
  std::optional<ByteView> kind;            // y
};

bool take_envelope_key(Cursor& cursor, ByteView key, Envelope& out) {
  switch (packed(key)) {
    case packed("a"):
      return take_raw(cursor, out.arguments);
    case packed("e"):
      return take_raw(cursor, out.error);
    case packed("ip"):
      return take_raw(cursor, out.observed);
    case packed("q"):
      return take_string(cursor, out.method);
    case packed("r"):
      return take_raw(cursor, out.values);
    case packed("ro"):
      return take_integer(cursor, out.read_only);
    case packed("t"):
      return take_string(cursor, out.transaction_id);
    case packed("v"):
      return take_raw(cursor, out.version);
    case packed("y"):
      return take_string(cursor, out.kind);
    default:
      return cursor.skip().has_value();
  }
}

bool parse_envelope(ByteView datagram, Envelope& out) {
  Cursor cursor(datagram);
  if (!cursor.enter_dictionary()) return false;
  while (cursor.peek() == bencode::Kind::string) {
    auto const key = cursor.string();
    if (!key || !take_envelope_key(cursor, *key, out)) return false;
  }
  return cursor.leave() && cursor.at_end();
}

bool parse_body(Envelope const& envelope, Message& out) {
  if (!envelope.kind || envelope.kind->size() != 1) return false;
  switch ((*envelope.kind)[0]) {
    case 'q':
      out.kind = Kind::query;
      if (!envelope.method) return false;
      out.method = method_of(*envelope.method);
      if (envelope.arguments && !parse_arguments(*envelope.arguments, out)) return false;
      if (!is_complete_query(out)) return false;
      if (out.method == Method::put && !out.target) out.target = put_target(out);
      return true;
    case 'r':
      out.kind = Kind::response;
      return envelope.values && parse_values(*envelope.values, out) && out.id;
    case 'e':
      out.kind = Kind::error;
      return envelope.error && parse_error(*envelope.error, out);
    default:
      return false;
  }
}

}  // namespace

base::Result<Message> parse_message(ByteView datagram) {
  base::Result<Message> out;
  Envelope envelope;
  bool const well_formed = datagram.size() <= datagram_size_max &&
                           parse_envelope(datagram, envelope) && parse_body(envelope, *out);
  bool const has_id =
      envelope.transaction_id && envelope.transaction_id->size() <= transaction_id_size_max;
  bool const token_fits = !out->token || out->token->size() <= token_size_max;
  if (!well_formed || !has_id || !token_fits) return base::fail(ErrorCode::krpc_malformed);
  out->transaction_id = *envelope.transaction_id;
  out->read_only = envelope.read_only.value_or(0) != 0;
  if (envelope.version) out->client_version = bencode::parse_string(*envelope.version);
  if (envelope.observed) {
    if (auto const bytes = bencode::parse_string(*envelope.observed)) {
      out->observed = parse_endpoint(*bytes);
    }
  }
  return out;
}

}  // namespace dotkey::wire::krpc
