// SPDX-License-Identifier: Apache-2.0
// Operations until the closest nodes are known: who is asked, what their answers are worth.
#include <algorithm>

#include "core/crypto/ed25519.h"
#include "core/dht/node_id.h"
#include "core/dht/node_parts.h"

namespace dotkey::dht {

namespace krpc = wire::krpc;
using base::ErrorCode;

namespace {

constexpr Duration operation_time_max = Duration::from_s(20);
constexpr Duration starve_time_max = Duration::from_s(10);
// Nodes taken from one answer, and peers collected over all.
constexpr std::size_t nodes_per_answer_max = k_nodes;
constexpr std::size_t peers_collected_max = 2000;

}  // namespace

base::Result<OperationId> Node::Parts::begin(Instant now, Operation operation) {
  if (operations.size() >= settings.operations_max) return base::fail(ErrorCode::dht_busy);
  auto const id = static_cast<OperationId>(++last_operation_id);
  operation.id = id;
  operation.give_up_at = now + operation_time_max;
  operation.starve_at = now + starve_time_max;
  Operation& placed = operations.emplace(id, std::move(operation)).first->second;
  operation_deadlines.emplace(placed.starve_at, id);
  operation_deadlines.emplace(placed.give_up_at, id);
  for (IpFamily const family : families) {
    if (overlay(family) != nullptr && placed.only.value_or(family) == family) {
      placed.lookups[static_cast<std::size_t>(family)].emplace(placed.target,
                                                               settings.lookup_parallel);
    }
  }
  seed(now, placed);
  advance(now, id);
  return id;
}

// Whom we know: the routing table, who answered near this target lately, an earlier run's nodes;
// bootstrap nodes when these are few.
void Node::Parts::seed(Instant now, Operation& operation) {
  for (IpFamily const family : families) {
    auto& lookup = operation.lookups[static_cast<std::size_t>(family)];
    if (!lookup) continue;
    Overlay const& place = *overlay(family);
    std::size_t known = 0;
    if (auto const* cached = place.cache.find(now, operation.target)) {
      bool const tokens_live = now - cached->answered_at < ClosestCache::token_lifetime;
      for (auto const& each : cached->nodes) {
        if (tokens_live && operation.stores_something()) {
          lookup->add_answered(each.node, each.token);
        } else {
          lookup->add(each.node, 0);
        }
        ++known;
      }
    }
    for (auto const& node : place.table.closest(operation.target, 2 * k_nodes, false)) {
      lookup->add(node, 0);
      ++known;
    }
    if (known >= get_width) continue;
    for (auto const& node : saved_nodes) {
      if (node.endpoint.address.family() == family) lookup->add(node, 0);
    }
    for (auto const& endpoint : bootstrap_nodes) {
      if (endpoint.address.family() == family) lookup->add_unknown(endpoint);
    }
    operation.asked_bootstrap[static_cast<std::size_t>(family)] = !bootstrap_nodes.empty();
  }
  if (table_size() < get_width) want_bootstrap(now);
}

std::size_t Node::Parts::width_of(Operation const& operation, IpFamily family) const {
  bool const is_get =
      operation.kind == OperationKind::get_mutable || operation.kind == OperationKind::get_peers;
  if (is_get && operation.outcome.item) return get_width;
  auto const& lookup = operation.lookups[static_cast<std::size_t>(family)];
  std::size_t width = k_nodes;
  auto const answered = lookup->answered(width_max);
  std::vector<NodeInfo> closest;
  for (auto const* candidate : answered) {
    closest.push_back(candidate->node);
    if (closest.size() < k_nodes) continue;
    if (overlay(family)->size.is_plausible(operation.target, closest)) break;
    width = std::min(closest.size() + 1, width_max);
  }
  return width;
}

void Node::Parts::advance(Instant now, OperationId id) {
  Operation* const operation = find_operation(id);
  if (operation == nullptr) return;
  if (operation->storing) return advance_stores(now, id);
  bool all_done = true;
  bool anybody = false;
  for (IpFamily const family : families) {
    auto const& lookup = operation->lookups[static_cast<std::size_t>(family)];
    if (!lookup) continue;
    all_done = advance_lookup(now, *operation, family) && all_done;
    anybody = anybody || lookup->has_candidates();
  }
  if (all_done && anybody) finish_lookup(now, id);
}

// Sends what may be sent; true when this family has no more to do.
bool Node::Parts::advance_lookup(Instant now, Operation& operation, IpFamily family) {
  auto const index = static_cast<std::size_t>(family);
  Lookup& lookup = *operation.lookups[index];
  std::size_t const width = width_of(operation, family);
  while (auto const candidate = lookup.next(width)) {
    if (!ask(now, operation, *candidate)) lookup.on_lost(candidate->node.endpoint);
  }
  if (!lookup.is_done(width)) return false;
  if (lookup.answered(1).empty() && !operation.asked_bootstrap[index]) {
    // Nobody of an old table lives: begin anew from the bootstrap nodes.
    for (auto const& endpoint : bootstrap_nodes) {
      if (endpoint.address.family() == family) lookup.add_unknown(endpoint);
    }
    operation.asked_bootstrap[index] = !bootstrap_nodes.empty();
    if (!operation.asked_bootstrap[index]) {
      want_bootstrap(now);
      return !lookup.has_candidates();
    }
    return advance_lookup(now, operation, family);
  }
  return true;
}

bool Node::Parts::ask(Instant now, Operation& operation, Candidate const& candidate) {
  krpc::Message query;
  query.target = operation.target;
  switch (operation.kind) {
    case OperationKind::get_mutable:
    case OperationKind::put_mutable:
      query.method = krpc::Method::get;
      query.sequence = operation.newer_than;
      break;
    case OperationKind::get_immutable:
    case OperationKind::put_immutable:
      query.method = krpc::Method::get;
      break;
    case OperationKind::get_peers:
    case OperationKind::announce_peer:
      query.method = krpc::Method::get_peers;
      break;
    case OperationKind::find_node:
    case OperationKind::refresh:
      query.method = krpc::Method::find_node;
      break;
  }
  if (settings.ipv4 && settings.ipv6) query.want = krpc::Want{true, true};
  Transaction transaction;
  transaction.to = candidate.node.endpoint;
  if (candidate.has_id) transaction.node = candidate.node.id;
  transaction.purpose = Purpose::lookup;
  transaction.operation = operation.id;
  if (!send_query(now, query, transaction)) return false;
  ++operation.outcome.tally.queried;
  return true;
}

void Node::Parts::on_lookup_answer(Instant now, Transaction const& transaction,
                                   NodeInfo const& node, krpc::Message const& message) {
  Operation* const operation = find_operation(transaction.operation);
  if (operation == nullptr) return;
  auto& lookup = operation->lookups[static_cast<std::size_t>(node.endpoint.address.family())];
  Candidate const* const candidate = lookup->on_answer(node, message.token.value_or(ByteView{}));
  if (candidate == nullptr) return;
  auto const hops = static_cast<std::uint8_t>(std::min(candidate->hops + 1, 255));
  ++operation->outcome.tally.responded;
  std::array<std::size_t, 2> taken{};
  for (auto const& found : message.nodes) {
    auto const family = static_cast<std::size_t>(found.endpoint.address.family());
    if (!is_acceptable(found.endpoint) || ++taken[family] > nodes_per_answer_max) continue;
    if (!operation->lookups[family] || found.id == overlays[family]->table.self()) continue;
    operation->lookups[family]->add(found, hops);
  }
  OperationId const id = operation->id;
  take_value(*operation, message);
  bool const satisfied =
      (operation->stop_at_first && operation->outcome.item) ||
      (operation->kind == OperationKind::get_immutable && operation->outcome.value);
  if (satisfied) {
    remember_closest(now, *operation);
    return finish(id, std::nullopt);
  }
  report_progress(*operation);
  advance(now, id);
}

void Node::Parts::on_lookup_event(Instant now, Transactions::Event const& event) {
  Operation* const operation = find_operation(event.transaction.operation);
  if (operation == nullptr || operation->storing) return;
  Endpoint const& endpoint = event.transaction.to;
  auto& lookup = operation->lookups[static_cast<std::size_t>(endpoint.address.family())];
  if (event.kind == Transactions::Event::Kind::overdue) {
    lookup->on_overdue(endpoint);
  } else {
    lookup->on_lost(endpoint);
    if (event.transaction.is_lost) ++operation->outcome.tally.timeouts;
  }
  advance(now, operation->id);
}

void Node::Parts::take_value(Operation& operation, krpc::Message const& message) {
  switch (operation.kind) {
    case OperationKind::get_mutable:
    case OperationKind::put_mutable:
      return take_mutable(operation, message);
    case OperationKind::get_immutable:
      if (!message.value) return;
      if (!(krpc::immutable_target(*message.value) == operation.target)) {
        ++operation.outcome.tally.invalid;
        return;
      }
      ++operation.outcome.tally.values;
      operation.outcome.value = base::to_bytes(*message.value);
      return;
    case OperationKind::get_peers: {
      auto& peers = operation.outcome.peers;
      for (auto const& peer : message.peers) {
        if (peers.size() >= peers_collected_max) break;
        if (std::find(peers.begin(), peers.end(), peer) == peers.end()) peers.push_back(peer);
      }
      return;
    }
    case OperationKind::put_immutable:
    case OperationKind::announce_peer:
    case OperationKind::find_node:
    case OperationKind::refresh:
      return;
  }
}

// Nobody is believed: the key must be the one asked for (so that SHA1(k ‖ salt) is the target) and
// its signature must cover exactly this value, sequence and salt.
void Node::Parts::take_mutable(Operation& operation, krpc::Message const& message) {
  Outcome& outcome = operation.outcome;
  if (!message.value) {
    if (message.sequence) ++outcome.tally.no_more_recent;
    return;
  }
  if (!message.key || !message.signature || !message.sequence ||
      !(*message.key == *operation.key) || message.value->size() > krpc::value_size_max) {
    ++outcome.tally.invalid;
    return;
  }
  auto const& best = outcome.item;
  bool const known = best && best->sequence == *message.sequence &&
                     base::equal(best->value, *message.value) &&
                     best->signature == *message.signature;
  if (!known) {
    Bytes const covered = krpc::signable(operation.salt, *message.sequence, *message.value);
    if (!crypto::verify(*message.key, *message.signature, covered)) {
      ++outcome.tally.invalid;
      return;
    }
  }
  ++outcome.tally.values;
  if (operation.newer_than && *message.sequence <= *operation.newer_than) return;
  bool const newer =
      !best || *message.sequence > best->sequence ||
      (*message.sequence == best->sequence && base::compare(*message.value, best->value) > 0);
  if (!newer) return;
  outcome.item = MutableItem{*message.key, operation.salt, *message.sequence,
                             base::to_bytes(*message.value), *message.signature};
  if (operation.kind == OperationKind::get_mutable) {
    effects.push_always(ItemFound{operation.id, *outcome.item});
  }
}

void Node::Parts::report_progress(Operation const& operation) {
  if (operation.kind == OperationKind::refresh) return;
  effects.push(Progress{operation.id, operation.outcome.tally, operation.outcome.stored});
}

void Node::Parts::remember_closest(Instant now, Operation const& operation) {
  for (IpFamily const family : families) {
    auto const& lookup = operation.lookups[static_cast<std::size_t>(family)];
    if (!lookup) continue;
    Overlay& place = *overlay(family);
    std::vector<NodeInfo> closest;
    std::vector<ClosestCache::Answered> answered;
    for (auto const* candidate : lookup->answered(k_nodes)) {
      closest.push_back(candidate->node);
      if (!candidate->token.empty()) answered.push_back({candidate->node, candidate->token});
    }
    if (lookup->is_done(k_nodes)) place.size.on_lookup(operation.target, closest);
    if (!answered.empty()) place.cache.put(now, operation.target, std::move(answered));
  }
}

// The closest nodes are known.
void Node::Parts::finish_lookup(Instant now, OperationId id) {
  Operation& operation = *find_operation(id);
  remember_closest(now, operation);
  if (operation.outcome.tally.responded > 0) saved_nodes.clear();
  bool const nobody = operation.outcome.tally.responded == 0 &&
                      std::all_of(operation.lookups.begin(), operation.lookups.end(),
                                  [](auto const& l) { return !l || l->answered(1).empty(); });
  if (nobody) {
    want_bootstrap(now);
    return finish(id, ErrorCode::dht_no_responses);
  }
  if (operation.stores_something()) return begin_stores(now, id);
  Outcome const& outcome = operation.outcome;
  bool const missing = (operation.kind == OperationKind::get_mutable && !outcome.item) ||
                       (operation.kind == OperationKind::get_immutable && !outcome.value) ||
                       (operation.kind == OperationKind::get_peers && outcome.peers.empty());
  finish(id, missing ? std::optional(ErrorCode::dht_not_found) : std::nullopt);
}

void Node::Parts::finish(OperationId id, std::optional<ErrorCode> error) {
  auto found = operations.extract(id);
  Operation& operation = found.mapped();
  operation_deadlines.erase({operation.give_up_at, id});
  operation_deadlines.erase({operation.starve_at, id});
  if (operation.kind == OperationKind::refresh) return;
  Outcome outcome = std::move(operation.outcome);
  outcome.error = error;
  for (auto const& lookup : operation.lookups) {
    if (!lookup) continue;
    for (auto const* candidate : lookup->answered(k_nodes))
      outcome.closest.push_back(candidate->node);
  }
  NodeId const target = operation.target;
  std::sort(outcome.closest.begin(), outcome.closest.end(),
            [&](NodeInfo const& a, NodeInfo const& b) { return is_closer(target, a.id, b.id); });
  effects.push_always(Finished{id, std::move(outcome)});
}

}  // namespace dotkey::dht
