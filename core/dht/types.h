// SPDX-License-Identifier: Apache-2.0
// What a DHT node is told, asks for and reports: settings, commands' results, effects.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/endpoint.h"
#include "core/base/error.h"
#include "core/crypto/keys.h"
#include "core/engine/time.h"
#include "core/wire/krpc.h"

namespace dotkey::dht {

using base::Bytes;
using base::ByteView;
using base::Endpoint;
using base::IpAddress;
using base::IpFamily;
using engine::Duration;
using engine::Instant;
using wire::krpc::NodeId;
using wire::krpc::NodeInfo;

// Nodes a bucket holds, nodes a put aims at, and the width of a finished lookup (BEP 5's K; 8
// there, 20 in pubky's mainline and here).
inline constexpr std::size_t k_nodes = 20;

enum class Mode : std::uint8_t {
  client,    // read-only (BEP 43): asks, never answers
  adaptive,  // client until the outside can reach us, then server
  server,    // answers from the first datagram on
};

struct Settings {
  Mode mode = Mode::adaptive;
  // The id to start with; absent: the saved one, else random until our address is known (BEP 42).
  std::optional<NodeId> id;
  // Which families have a socket. A lookup runs on both side by side (BEP 32).
  bool ipv4 = true;
  bool ipv6 = false;
  // Accept loopback and private addresses as nodes: testnets and LANs.
  bool allow_local_network = false;
  // Requests of one lookup in flight; grows by one for each that is overdue.
  std::uint32_t lookup_parallel = 4;
  // Nodes that must store a put before it ends without retries.
  std::uint32_t put_nodes_target = k_nodes;
  std::uint32_t operations_max = 4096;
  std::uint32_t requests_in_flight_max = 8192;
  std::uint32_t stored_mutable_max = 10'000;
  std::uint32_t stored_immutable_max = 2'000;
  std::uint32_t stored_swarms_max = 2'000;
  std::uint32_t effects_max = 16'384;
  Duration item_lifetime = Duration::from_s(2 * 3600);  // BEP 44: may expire after two hours
  Duration peer_lifetime = Duration::from_s(30 * 60);
  // Queries answered for one source address (IPv6: one /64) a second, and its burst.
  std::uint32_t queries_per_source_s = 50;
  std::uint32_t queries_per_source_burst = 200;
  // A reply's size in bytes: never fragmented on any common path.
  std::uint32_t reply_size_max = 1400;
};

enum class OperationId : std::uint32_t {};

// BEP 44. `value` is bencoded, at most 1,000 bytes.
struct MutableItem {
  crypto::PublicKey key;
  Bytes salt;
  std::int64_t sequence = 0;
  Bytes value;
  crypto::Signature signature;
  friend bool operator==(MutableItem const&, MutableItem const&) = default;
};

// What the nodes asked by one operation did.
struct Tally {
  std::uint32_t queried = 0;
  std::uint32_t responded = 0;
  std::uint32_t values = 0;          // verified items
  std::uint32_t no_more_recent = 0;  // had the item, but none newer than asked for
  std::uint32_t invalid = 0;         // another key's item, bad signature, wrong hash
  std::uint32_t errors = 0;          // KRPC errors
  std::uint32_t timeouts = 0;
};

struct ErrorCount {
  std::int64_t code = 0;  // KRPC error code; 0 = the node did not answer the put
  std::uint32_t nodes = 0;
};

// How an operation ended. `error` is empty on success.
struct Outcome {
  std::optional<base::ErrorCode> error;
  Tally tally;
  std::optional<MutableItem> item;  // get_mutable: the newest found; put: the newer one in the way
  std::optional<Bytes> value;       // get_immutable
  std::uint32_t stored = 0;         // put, announce: nodes that acknowledged
  std::vector<ErrorCount> errors;   // put: what the others said
  std::vector<Endpoint> peers;      // get_peers
  std::vector<NodeInfo> closest;    // the closest nodes that answered, nearest first
};

// Effects, for the driver.
struct SendDatagram {
  Endpoint to;
  Bytes payload;
};
// Too few nodes are known: resolve the bootstrap names (again) and call add_bootstrap_nodes().
struct ResolveBootstrap {};
// A verified item, newer than any this operation reported before.
struct ItemFound {
  OperationId id;
  MutableItem item;
};
// Numbers changed; for a progress display. At most one for each datagram received.
struct Progress {
  OperationId id;
  Tally tally;
  std::uint32_t stored = 0;
};
struct Finished {
  OperationId id;
  Outcome outcome;
};
using Effect = std::variant<SendDatagram, ResolveBootstrap, ItemFound, Progress, Finished>;

struct Status {
  NodeId id;
  bool read_only = true;
  std::uint32_t nodes_v4 = 0;
  std::uint32_t nodes_v6 = 0;
  std::optional<Endpoint> external_v4;
  std::optional<Endpoint> external_v6;
  double size_estimate = 0;   // nodes in the network; 0 = unknown yet
  double size_deviation = 0;  // relative standard deviation of the estimate
  std::uint32_t stored_mutable = 0;
  std::uint32_t stored_immutable = 0;
  std::uint32_t operations = 0;
  std::uint64_t datagrams_in = 0;
  std::uint64_t datagrams_out = 0;
  std::uint64_t datagrams_dropped = 0;  // malformed, over a rate limit, from forbidden addresses
};

}  // namespace dotkey::dht
