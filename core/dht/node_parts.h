// SPDX-License-Identifier: Apache-2.0
// The inside of a DHT node. Split over node_inputs.cpp (datagrams), node_lookups.cpp (operations
// until the closest nodes are known), node_stores.cpp (operations from there) and
// node_maintenance.cpp (the routing table's upkeep).
#pragma once

#include <map>
#include <set>
#include <unordered_map>

#include "core/dht/address_votes.h"
#include "core/dht/closest_cache.h"
#include "core/dht/node.h"
#include "core/dht/operation.h"
#include "core/dht/rate_limiter.h"
#include "core/dht/round_trip.h"
#include "core/dht/routing_table.h"
#include "core/dht/server.h"
#include "core/dht/size_estimate.h"
#include "core/dht/transactions.h"
#include "core/engine/effect_queue.h"

namespace dotkey::dht {

// Nodes that must have answered before a get that found its item stops: BEP 5's K, where most
// clients store.
inline constexpr std::size_t get_width = 8;
// How far a lookup widens when the closest nodes stand suspiciously close together.
inline constexpr std::size_t width_max = 64;

// What differs between IPv4 and IPv6 (BEP 32: two overlays side by side).
struct Overlay {
  Overlay(NodeId const& self, bool one_contact_per_address)
      : table(self, one_contact_per_address) {}

  RoutingTable table;
  AddressVotes votes;
  SizeEstimate size;
  ClosestCache cache;
};

struct Node::Parts {
  Parts(Settings const& s, engine::Entropy& e, Instant now, ByteView saved_state);

  Settings settings;
  engine::Entropy* entropy;
  std::array<std::optional<Overlay>, 2> overlays;  // by IpFamily; empty = no socket
  Transactions transactions;
  RoundTrip round_trip;
  Server server;
  RateLimiter limiter;
  engine::EffectQueue<Effect> effects;
  std::map<OperationId, Operation> operations;
  std::set<std::pair<Instant, OperationId>> operation_deadlines;
  std::uint32_t last_operation_id = 0;
  std::vector<Endpoint> bootstrap_nodes;
  std::vector<NodeInfo> saved_nodes;  // known in an earlier run, not heard of in this one
  Instant last_received;
  Status counters;

  // Maintenance.
  Instant tick_at;
  Instant refresh_at;
  Instant bucket_refresh_at;
  Instant resolve_bootstrap_at;
  Duration resolve_bootstrap_delay = Duration::from_s(2);
  Instant self_check_at;
  std::uint32_t verifications = 0;  // pings to nodes that asked us, since the last tick
  std::uint32_t start_refreshes = 0;
  bool reachable = false;  // a datagram nobody asked for came through to us

  // node_inputs.cpp
  void on_datagram(Instant now, Endpoint const& from, ByteView payload);
  void on_query(Instant now, Endpoint const& from, wire::krpc::Message const& query);
  void on_answer(Instant now, Endpoint const& from, wire::krpc::Message const& message);
  void on_self_check(Endpoint const& from, wire::krpc::Message const& query);
  void add_nodes_to(wire::krpc::Message& reply, Endpoint const& from,
                    std::optional<wire::krpc::Want> want, NodeId const& target) const;
  [[nodiscard]] bool is_acceptable(Endpoint const& endpoint) const;
  [[nodiscard]] bool is_read_only() const;
  bool send_query(Instant now, wire::krpc::Message& query, Transaction transaction);
  void send(Endpoint const& to, Bytes payload);

  // node_lookups.cpp
  base::Result<OperationId> begin(Instant now, Operation operation);
  void seed(Instant now, Operation& operation);
  void advance(Instant now, OperationId id);
  bool advance_lookup(Instant now, Operation& operation, IpFamily family);
  bool ask(Instant now, Operation& operation, Candidate const& candidate);
  [[nodiscard]] std::size_t width_of(Operation const& operation, IpFamily family) const;
  void on_lookup_answer(Instant now, Transaction const& transaction, NodeInfo const& node,
                        wire::krpc::Message const& message);
  void on_lookup_event(Instant now, Transactions::Event const& event);
  void take_value(Operation& operation, wire::krpc::Message const& message);
  void take_mutable(Operation& operation, wire::krpc::Message const& message);
  void finish_lookup(Instant now, OperationId id);
  void finish(OperationId id, std::optional<base::ErrorCode> error);
  void remember_closest(Instant now, Operation const& operation);
  void report_progress(Operation const& operation);

  // node_stores.cpp
  void begin_stores(Instant now, OperationId id);
  void advance_stores(Instant now, OperationId id);
  bool send_store(Instant now, Operation const& operation, StoreTarget& target);
  void on_store_answer(Instant now, Transaction const& transaction,
                       wire::krpc::Message const& message);
  void on_store_event(Instant now, Transactions::Event const& event);
  void finish_stores(Instant now, OperationId id);
  [[nodiscard]] std::optional<base::ErrorCode> store_verdict(Operation const& operation) const;

  // node_maintenance.cpp
  void on_deadline(Instant now);
  void on_due(Instant now, Transactions::Event const& event);
  void tick(Instant now);
  void skip_start(Instant now);
  void ping(Instant now, NodeInfo const& node);
  void refresh(Instant now, IpFamily family, NodeId const& target);
  void check_self(Instant now);
  void want_bootstrap(Instant now);
  void on_external_address(Instant now, IpFamily family);
  void add_bootstrap_nodes(Instant now, std::span<Endpoint const> nodes);

  [[nodiscard]] Overlay* overlay(IpFamily family) {
    auto& found = overlays[static_cast<std::size_t>(family)];
    return found ? &*found : nullptr;
  }
  [[nodiscard]] Overlay const* overlay(IpFamily family) const {
    auto const& found = overlays[static_cast<std::size_t>(family)];
    return found ? &*found : nullptr;
  }
  [[nodiscard]] std::size_t table_size() const;
  Operation* find_operation(OperationId id);
};

inline constexpr IpFamily families[] = {IpFamily::v4, IpFamily::v6};

}  // namespace dotkey::dht
