// SPDX-License-Identifier: Apache-2.0
// Operations that store, once the closest nodes are known.
#include <algorithm>

#include "core/dht/node_parts.h"

namespace dotkey::dht {

namespace krpc = wire::krpc;
using base::ErrorCode;

namespace {

constexpr std::uint8_t attempts_max = 2;

// A newer item on the way means that the publisher has not seen it: storing would fork history.
bool is_in_the_way(MutableItem const& found, MutableItem const& mine) {
  if (found.sequence != mine.sequence) return found.sequence > mine.sequence;
  return base::compare(found.value, mine.value) > 0;
}

void count_error(Outcome& outcome, std::int64_t code) {
  for (auto& each : outcome.errors) {
    if (each.code == code) {
      ++each.nodes;
      return;
    }
  }
  if (outcome.errors.size() < 16) outcome.errors.push_back({code, 1});
}

std::uint32_t nodes_with_error(Outcome const& outcome, std::int64_t code) {
  for (auto const& each : outcome.errors) {
    if (each.code == code) return each.nodes;
  }
  return 0;
}

}  // namespace

void Node::Parts::begin_stores(Instant now, OperationId id) {
  Operation& operation = *find_operation(id);
  Outcome& outcome = operation.outcome;
  if (operation.kind == OperationKind::put_mutable && outcome.item) {
    if (operation.cas && *operation.cas != outcome.item->sequence) {
      return finish(id, ErrorCode::dht_cas_mismatch);
    }
    if (is_in_the_way(*outcome.item, *operation.item))
      return finish(id, ErrorCode::dht_newer_exists);
  }
  operation.storing = true;
  for (IpFamily const family : families) {
    auto const index = static_cast<std::size_t>(family);
    if (!operation.lookups[index]) continue;
    std::size_t const width =
        std::max<std::size_t>(width_of(operation, family), settings.put_nodes_target);
    // Twice as many stand by for those that fail.
    for (auto const* candidate : operation.lookups[index]->answered(2 * width)) {
      if (candidate->token.empty() || candidate->token.size() > krpc::token_size_max) continue;
      StoreTarget target;
      target.node = candidate->node;
      target.token = candidate->token;
      operation.stores[index].push_back(std::move(target));
    }
  }
  advance_stores(now, id);
}

// In each family as many nodes as aimed at are kept either stored or under way.
void Node::Parts::advance_stores(Instant now, OperationId id) {
  Operation& operation = *find_operation(id);
  bool any_open = false;
  for (IpFamily const family : families) {
    auto const index = static_cast<std::size_t>(family);
    if (!operation.lookups[index]) continue;
    std::size_t const wanted =
        std::max<std::size_t>(width_of(operation, family), settings.put_nodes_target);
    std::size_t good = 0;
    for (auto& target : operation.stores[index]) {
      if (target.state == StoreTarget::State::reserve && good < wanted &&
          send_store(now, operation, target)) {
        target.state = StoreTarget::State::waiting;
      }
      if (target.state == StoreTarget::State::waiting) any_open = true;
      // A refusal is an answer too: one more node would refuse for the same reason.
      if (target.state != StoreTarget::State::reserve &&
          target.state != StoreTarget::State::silent) {
        ++good;
      }
    }
  }
  if (!any_open) finish_stores(now, id);
}

bool Node::Parts::send_store(Instant now, Operation const& operation, StoreTarget& target) {
  krpc::Message query;
  query.token = ByteView(target.token);
  query.target = operation.target;
  if (operation.kind == OperationKind::announce_peer) {
    query.method = krpc::Method::announce_peer;
    query.port = operation.port;
  } else {
    query.method = krpc::Method::put;
    query.value = ByteView(operation.value);
  }
  if (operation.item) {
    query.value = ByteView(operation.item->value);
    query.key = operation.item->key;
    query.signature = operation.item->signature;
    query.sequence = operation.item->sequence;
    query.cas = operation.cas;
    if (!operation.item->salt.empty()) query.salt = ByteView(operation.item->salt);
  }
  Transaction transaction;
  transaction.to = target.node.endpoint;
  transaction.node = target.node.id;
  transaction.purpose = Purpose::store;
  transaction.operation = operation.id;
  if (!send_query(now, query, transaction)) return false;
  ++target.attempts;
  ++target.open;
  return true;
}

namespace {

StoreTarget* find_target(Operation& operation, Endpoint const& endpoint) {
  for (auto& target : operation.stores[static_cast<std::size_t>(endpoint.address.family())]) {
    if (target.node.endpoint == endpoint) return &target;
  }
  return nullptr;
}

}  // namespace

void Node::Parts::on_store_answer(Instant now, Transaction const& transaction,
                                  krpc::Message const& message) {
  Operation* const operation = find_operation(transaction.operation);
  if (operation == nullptr) return;
  StoreTarget* const target = find_target(*operation, transaction.to);
  if (target == nullptr || target->state == StoreTarget::State::stored ||
      target->state == StoreTarget::State::refused) {
    return;
  }
  if (message.kind == krpc::Kind::response) {
    target->state = StoreTarget::State::stored;
    ++operation->outcome.stored;
  } else {
    target->state = StoreTarget::State::refused;
    ++operation->outcome.tally.errors;
    count_error(operation->outcome, message.code);
  }
  OperationId const id = operation->id;
  report_progress(*operation);
  advance_stores(now, id);
}

// An overdue store is sent once more at once: most silence is a lost datagram, and storing twice
// does no harm.
void Node::Parts::on_store_event(Instant now, Transactions::Event const& event) {
  Operation* const operation = find_operation(event.transaction.operation);
  if (operation == nullptr) return;
  StoreTarget* const target = find_target(*operation, event.transaction.to);
  if (target == nullptr || target->state != StoreTarget::State::waiting) return;
  if (event.kind == Transactions::Event::Kind::overdue) {
    if (target->attempts < attempts_max) send_store(now, *operation, *target);
    return;
  }
  if (--target->open > 0) return;
  target->state = StoreTarget::State::silent;
  ++operation->outcome.tally.timeouts;
  count_error(operation->outcome, 0);
  advance_stores(now, operation->id);
}

std::optional<ErrorCode> Node::Parts::store_verdict(Operation const& operation) const {
  Outcome const& outcome = operation.outcome;
  std::uint32_t const older = nodes_with_error(outcome, krpc::error_code::sequence_too_old);
  std::uint32_t const mismatched = nodes_with_error(outcome, krpc::error_code::cas_mismatch);
  // Most of the closest hold something else: what the minority stored will not be found.
  if (older > 0 && older >= outcome.stored) return ErrorCode::dht_newer_exists;
  if (mismatched > 0 && mismatched >= outcome.stored) return ErrorCode::dht_cas_mismatch;
  if (outcome.stored > 0) return std::nullopt;
  return ErrorCode::dht_not_stored;
}

void Node::Parts::finish_stores(Instant /*now*/, OperationId id) {
  finish(id, store_verdict(*find_operation(id)));
}

}  // namespace dotkey::dht
