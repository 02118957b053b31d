// SPDX-License-Identifier: Apache-2.0
#include "core/dht/node.h"

#include <algorithm>

#include "core/dht/node_id.h"
#include "core/dht/node_parts.h"
#include "core/dht/state.h"

namespace dotkey::dht {

namespace krpc = wire::krpc;
using base::ErrorCode;
using base::Result;

Node::Parts::Parts(Settings const& s, engine::Entropy& e, Instant now, ByteView saved_state)
    : settings(s),
      entropy(&e),
      transactions(s.requests_in_flight_max),
      server(s, random_id(e), e, now),
      limiter(s.queries_per_source_s, s.queries_per_source_burst, e.next_u64()),
      effects(s.effects_max),
      tick_at(now),
      refresh_at(now),
      resolve_bootstrap_at(now),
      self_check_at(now) {
  auto const saved = parse_state(saved_state);
  bool const one_per_address = !s.allow_local_network;
  auto const id_of = [&](NodeId const SavedState::* saved_id) {
    if (s.id) return *s.id;
    return saved ? (*saved).*saved_id : random_id(e);
  };
  if (s.ipv4) overlays[0].emplace(id_of(&SavedState::id_v4), one_per_address);
  if (s.ipv6) overlays[1].emplace(id_of(&SavedState::id_v6), one_per_address);
  if (overlays[0]) server = Server(s, overlays[0]->table.self(), e, now);
  if (!saved) return;
  for (auto const& node : saved->nodes) {
    if (is_acceptable(node.endpoint)) saved_nodes.push_back(node);
  }
}

std::size_t Node::Parts::table_size() const {
  std::size_t size = 0;
  for (auto const& each : overlays) size += each ? each->table.size() : 0;
  return size;
}

Operation* Node::Parts::find_operation(OperationId id) {
  auto const found = operations.find(id);
  return found == operations.end() ? nullptr : &found->second;
}

Node::Node(Settings const& settings, engine::Entropy& entropy, Instant now, ByteView saved_state)
    : parts_(std::make_unique<Parts>(settings, entropy, now, saved_state)) {}
Node::~Node() = default;
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;

void Node::add_bootstrap_nodes(Instant now, std::span<Endpoint const> nodes) {
  parts_->add_bootstrap_nodes(now, nodes);
}

Result<OperationId> Node::get_mutable(Instant now, crypto::PublicKey const& key, ByteView salt,
                                      GetOptions const& options) {
  if (salt.size() > krpc::salt_size_max) {
    return base::fail(ErrorCode::number_out_of_range, "salt over 64 bytes");
  }
  Operation operation;
  operation.kind = OperationKind::get_mutable;
  operation.target = krpc::mutable_target(key, salt);
  operation.key = key;
  operation.salt = base::to_bytes(salt);
  operation.newer_than = options.newer_than;
  operation.stop_at_first = options.stop_at_first;
  return parts_->begin(now, std::move(operation));
}

Result<OperationId> Node::put_mutable(Instant now, MutableItem const& item,
                                      PutOptions const& options) {
  if (item.value.size() > krpc::value_size_max) return base::fail(ErrorCode::record_too_large);
  if (item.salt.size() > krpc::salt_size_max) {
    return base::fail(ErrorCode::number_out_of_range, "salt over 64 bytes");
  }
  Operation operation;
  operation.kind = OperationKind::put_mutable;
  operation.target = krpc::mutable_target(item.key, item.salt);
  operation.key = item.key;
  operation.salt = item.salt;
  // Older items are of no interest, unless the caller names the one it expects: nodes that have
  // none would store under any cas.
  if (!options.cas) operation.newer_than = item.sequence - 1;
  operation.item = item;
  operation.cas = options.cas;
  return parts_->begin(now, std::move(operation));
}

Result<OperationId> Node::get_immutable(Instant now, NodeId const& target) {
  Operation operation;
  operation.kind = OperationKind::get_immutable;
  operation.target = target;
  return parts_->begin(now, std::move(operation));
}

Result<OperationId> Node::put_immutable(Instant now, ByteView value) {
  if (value.size() > krpc::value_size_max) return base::fail(ErrorCode::record_too_large);
  Operation operation;
  operation.kind = OperationKind::put_immutable;
  operation.target = krpc::immutable_target(value);
  operation.value = base::to_bytes(value);
  return parts_->begin(now, std::move(operation));
}

Result<OperationId> Node::find_node(Instant now, NodeId const& target) {
  Operation operation;
  operation.kind = OperationKind::find_node;
  operation.target = target;
  return parts_->begin(now, std::move(operation));
}

Result<OperationId> Node::get_peers(Instant now, NodeId const& info_hash) {
  Operation operation;
  operation.kind = OperationKind::get_peers;
  operation.target = info_hash;
  return parts_->begin(now, std::move(operation));
}

Result<OperationId> Node::announce_peer(Instant now, NodeId const& info_hash, std::uint16_t port) {
  if (port == 0) return base::fail(ErrorCode::number_out_of_range, "port 0");
  Operation operation;
  operation.kind = OperationKind::announce_peer;
  operation.target = info_hash;
  operation.port = port;
  return parts_->begin(now, std::move(operation));
}

void Node::cancel(Instant /*now*/, OperationId id) {
  if (parts_->find_operation(id) != nullptr) parts_->finish(id, ErrorCode::cancelled);
}

void Node::on_datagram(Instant now, Endpoint const& from, ByteView payload) {
  parts_->on_datagram(now, from, payload);
}

void Node::on_deadline(Instant now) {
  parts_->on_deadline(now);
}

std::optional<Effect> Node::poll_effect() {
  return parts_->effects.poll();
}

std::optional<Instant> Node::next_deadline() const {
  Instant next = parts_->tick_at;
  if (auto const at = parts_->transactions.next_deadline()) next = std::min(next, *at);
  if (!parts_->operation_deadlines.empty()) {
    next = std::min(next, parts_->operation_deadlines.begin()->first);
  }
  return next;
}

Status Node::status() const {
  Status out = parts_->counters;
  Overlay const* const v4 = parts_->overlay(IpFamily::v4);
  Overlay const* const v6 = parts_->overlay(IpFamily::v6);
  Overlay const* const main = v4 != nullptr ? v4 : v6;
  if (main != nullptr) {
    out.id = main->table.self();
    out.size_estimate = main->size.nodes();
    out.size_deviation = main->size.deviation();
  }
  if (v4 != nullptr) {
    out.nodes_v4 = static_cast<std::uint32_t>(v4->table.size());
    out.external_v4 = v4->votes.external();
  }
  if (v6 != nullptr) {
    out.nodes_v6 = static_cast<std::uint32_t>(v6->table.size());
    out.external_v6 = v6->votes.external();
  }
  out.read_only = parts_->is_read_only();
  out.stored_mutable = static_cast<std::uint32_t>(parts_->server.storage().mutable_size());
  out.stored_immutable = static_cast<std::uint32_t>(parts_->server.storage().immutable_size());
  out.operations = static_cast<std::uint32_t>(parts_->operations.size());
  return out;
}

Neighbourhood Node::neighbourhood() const {
  Neighbourhood out;
  for (auto const& each : parts_->overlays) {
    if (each) out.add(each->table);
  }
  return out;
}

bool Node::is_bootstrapped() const {
  return parts_->table_size() >= get_width;
}

Bytes Node::encode_state() const {
  SavedState state;
  for (auto const& each : parts_->overlays) {
    if (!each) continue;
    bool const is_v4 = &each == &parts_->overlays[0];
    (is_v4 ? state.id_v4 : state.id_v6) = each->table.self();
    for (auto const& contact : each->table.contacts()) {
      if (contact.failures == 0) state.nodes.push_back(contact.node);
    }
  }
  // A run that met nobody must not lose what an earlier one knew.
  if (state.nodes.empty()) state.nodes = parts_->saved_nodes;
  return dht::encode_state(state);
}

std::vector<NodeInfo> Node::closest_known(NodeId const& target, std::size_t count) const {
  std::vector<NodeInfo> out;
  for (auto const& each : parts_->overlays) {
    if (!each) continue;
    auto const nodes = each->table.closest(target, count, false);
    out.insert(out.end(), nodes.begin(), nodes.end());
  }
  std::sort(out.begin(), out.end(),
            [&](NodeInfo const& a, NodeInfo const& b) { return is_closer(target, a.id, b.id); });
  if (out.size() > count) out.resize(count);
  return out;
}

void Node::seed_table(Instant now, std::span<NodeInfo const> nodes) {
  for (auto const& node : nodes) {
    Overlay* const place = parts_->overlay(node.endpoint.address.family());
    if (place != nullptr) place->table.seed(now, node);
  }
  parts_->skip_start(now);
}

}  // namespace dotkey::dht
