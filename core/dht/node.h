// SPDX-License-Identifier: Apache-2.0
// A Mainline DHT node: client and server of BEP 5, 32, 42, 43 and 44.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "core/base/result.h"
#include "core/dht/neighbourhood.h"
#include "core/dht/types.h"
#include "core/engine/entropy.h"

namespace dotkey::dht {

struct GetOptions {
  // Only items newer than this are wanted (BEP 44 `seq`). Absent: any.
  std::optional<std::int64_t> newer_than;
  // End at the first verified item instead of asking all of the closest nodes.
  bool stop_at_first = false;
};

struct PutOptions {
  // Store only where the node's item has this sequence (BEP 44 `cas`).
  std::optional<std::int64_t> cas;
};

// A state machine: no socket, clock, thread or entropy of its own. `now` never goes backwards.
// After each command or input the driver drains poll_effect(), then arms one timer at
// next_deadline(). Every command that returns an OperationId ends in exactly one Finished effect,
// also after cancel(). Hostile datagrams are counted and dropped.
class Node {
 public:
  // `entropy` outlives the node. `saved_state` is what encode_state() gave earlier; bytes that are
  // not are ignored.
  Node(Settings const& settings, engine::Entropy& entropy, Instant now, ByteView saved_state = {});
  ~Node();
  Node(Node&&) noexcept;
  Node& operator=(Node&&) noexcept;

  // Commands. Errors: dht_busy when operations_max run already; record_too_large for a value over
  // 1,000 bytes, number_out_of_range for a salt over 64 bytes.
  void add_bootstrap_nodes(Instant now, std::span<Endpoint const> nodes);
  base::Result<OperationId> get_mutable(Instant now, crypto::PublicKey const& key, ByteView salt,
                                        GetOptions const& options);
  base::Result<OperationId> put_mutable(Instant now, MutableItem const& item,
                                        PutOptions const& options);
  base::Result<OperationId> get_immutable(Instant now, NodeId const& target);
  base::Result<OperationId> put_immutable(Instant now, ByteView value);
  base::Result<OperationId> find_node(Instant now, NodeId const& target);
  base::Result<OperationId> get_peers(Instant now, NodeId const& info_hash);
  base::Result<OperationId> announce_peer(Instant now, NodeId const& info_hash, std::uint16_t port);
  void cancel(Instant now, OperationId id);

  // Inputs.
  void on_datagram(Instant now, Endpoint const& from, ByteView payload);
  void on_deadline(Instant now);

  // Outputs.
  [[nodiscard]] std::optional<Effect> poll_effect();
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  // Queries.
  [[nodiscard]] Status status() const;
  // Of both address families together.
  [[nodiscard]] Neighbourhood neighbourhood() const;
  // True once enough nodes are known for lookups to be worth starting.
  [[nodiscard]] bool is_bootstrapped() const;
  // The id and the good nodes, for the next start. At most 64 KiB.
  [[nodiscard]] Bytes encode_state() const;
  // The nodes known, nearest to `target` first, at most `count`: bootstrap for others, tests.
  [[nodiscard]] std::vector<NodeInfo> closest_known(NodeId const& target, std::size_t count) const;
  // Puts nodes into the table without asking them first, as after a long life: the simulator's
  // matured networks.
  void seed_table(Instant now, std::span<NodeInfo const> nodes);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace dotkey::dht
