// SPDX-License-Identifier: Apache-2.0
// KRPC messages (BEP 5) with the extensions of BEP 32, 42, 43 and 44, as one flat struct that
// borrows from the datagram it was parsed from.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/endpoint.h"
#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace dotkey::wire::krpc {

// A node id and every point of its space: info-hashes, BEP 44 targets.
using NodeId = base::FixedBytes<20, struct NodeIdTag>;

inline constexpr std::size_t datagram_size_max = 2048;
inline constexpr std::size_t transaction_id_size_max = 32;
inline constexpr std::size_t token_size_max = 64;
inline constexpr std::size_t salt_size_max = 64;     // BEP 44
inline constexpr std::size_t value_size_max = 1000;  // BEP 44: of the bencoded v
inline constexpr std::size_t nodes_max = 64;         // of one family in one message
inline constexpr std::size_t peers_max = 128;        // `values` of one get_peers reply

enum class Kind : std::uint8_t { query, response, error };
enum class Method : std::uint8_t { ping, find_node, get_peers, announce_peer, get, put, unknown };

// BEP 5 and BEP 44.
namespace error_code {
inline constexpr std::int64_t generic = 201;
inline constexpr std::int64_t server = 202;
inline constexpr std::int64_t protocol = 203;
inline constexpr std::int64_t method_unknown = 204;
inline constexpr std::int64_t value_too_large = 205;
inline constexpr std::int64_t signature_invalid = 206;
inline constexpr std::int64_t salt_too_large = 207;
inline constexpr std::int64_t cas_mismatch = 301;
inline constexpr std::int64_t sequence_too_old = 302;
}  // namespace error_code

// BEP 32 `want`.
struct Want {
  bool n4 = false;
  bool n6 = false;
  friend bool operator==(Want const&, Want const&) = default;
};

struct NodeInfo {
  NodeId id;
  base::Endpoint endpoint;
  friend bool operator==(NodeInfo const&, NodeInfo const&) = default;
};

// Fields absent from the message are empty. Which ones a method needs is checked by parse_message.
struct Message {
  Kind kind = Kind::query;
  // Of a query. A response does not name it; set to find_node there, encode_message writes `nodes`
  // even when there are none, which BEP 5 asks for.
  Method method = Method::unknown;
  base::ByteView transaction_id;
  std::optional<base::ByteView> client_version;  // v
  std::optional<base::Endpoint> observed;        // ip: our endpoint as the sender sees it (BEP 42)
  bool read_only = false;                        // ro (BEP 43)

  // Arguments of a query (a) or values of a response (r).
  std::optional<NodeId> id;
  std::optional<NodeId> target;  // target, or info_hash
  std::optional<base::ByteView> token;
  std::optional<Want> want;
  std::vector<NodeInfo> nodes;        // nodes and nodes6 together
  std::vector<base::Endpoint> peers;  // values
  std::optional<std::uint16_t> port;  // announce_peer
  bool implied_port = false;

  // BEP 44.
  std::optional<base::ByteView> value;  // v, still bencoded
  std::optional<crypto::PublicKey> key;
  std::optional<crypto::Signature> signature;
  std::optional<std::int64_t> sequence;
  std::optional<std::int64_t> cas;
  std::optional<base::ByteView> salt;

  // kind == error
  std::int64_t code = 0;
  base::ByteView description;
};

// Parses hostile bytes. Tolerates unsorted keys, unknown keys, any `t` up to
// transaction_id_size_max, any `v` and any malformed `ip` (ignored); refuses duplicate or wrongly
// typed known keys, trailing bytes, and messages without what their kind and method need (BEP 5,
// 44). A mutable put without seq or sig is refused. A missing `target` of a put is computed; a
// given one is for the caller to check, as are the sizes of v and salt, which BEP 44 answers with
// errors. Nodes and peers with port 0 or an IPv4-mapped address are dropped, as are those behind
// the maxima above. The views point into `datagram`. Errors: krpc_malformed.
base::Result<Message> parse_message(base::ByteView datagram);

// Canonical bencode of every field set. `ro` is written only when set; put queries always carry
// `target`, which pubky nodes demand. A query needs a method, all but errors need an id.
base::Bytes encode_message(Message const& message);

// BEP 44: what a mutable item's signature covers. `value` is bencoded.
base::Bytes signable(base::ByteView salt, std::int64_t sequence, base::ByteView value);
// SHA-1 of the bencoded value.
NodeId immutable_target(base::ByteView value);
// SHA-1 of key ‖ salt.
NodeId mutable_target(crypto::PublicKey const& key, base::ByteView salt);

}  // namespace dotkey::wire::krpc
