// SPDX-License-Identifier: Apache-2.0
// Time passes: what is overdue, the routing table's upkeep, our own address.
#include <algorithm>

#include "core/dht/node_id.h"
#include "core/dht/node_parts.h"

namespace dotkey::dht {

namespace krpc = wire::krpc;
using base::ErrorCode;

namespace {

constexpr Duration tick_every = Duration::from_s(1);
constexpr Duration refresh_every = Duration::from_s(15 * 60);
constexpr Duration silence_before_ping = Duration::from_s(12 * 60);
constexpr Duration silence_before_bucket_refresh = Duration::from_s(15 * 60);
constexpr Duration bucket_refresh_every = Duration::from_s(60);
constexpr Duration self_check_every = Duration::from_s(10 * 60);
constexpr Duration uplink_memory = Duration::from_s(10);
constexpr Duration resolve_delay_max = Duration::from_s(10 * 60);
constexpr std::size_t bootstrap_nodes_max = 32;
// Lookups after the first, towards the widest buckets, that make a new table usable.
constexpr std::uint32_t start_refreshes_wanted = 4;

}  // namespace

void Node::Parts::on_deadline(Instant now) {
  while (auto const event = transactions.poll_due(now)) on_due(now, *event);
  while (!operation_deadlines.empty() && operation_deadlines.begin()->first <= now) {
    auto const [at, id] = *operation_deadlines.begin();
    operation_deadlines.erase(operation_deadlines.begin());
    Operation* const operation = find_operation(id);
    if (operation == nullptr) continue;
    bool const starved =
        std::none_of(operation->lookups.begin(), operation->lookups.end(),
                     [](auto const& lookup) { return lookup && lookup->has_candidates(); });
    if (starved) {
      finish(id, ErrorCode::dht_no_nodes);
    } else if (at == operation->give_up_at) {
      if (operation->storing) {
        finish_stores(now, id);
      } else {
        finish_lookup(now, id);
      }
    }
  }
  if (tick_at <= now) tick(now);
}

void Node::Parts::on_due(Instant now, Transactions::Event const& event) {
  using Kind = Transactions::Event::Kind;
  if (event.kind == Kind::forgotten) return;
  // A node is blamed for its silence only while others answer: a dead uplink is not their fault.
  // An idle node asks so rarely that an answer of a moment ago has to do.
  bool const uplink_works = last_received + uplink_memory >= event.transaction.sent;
  if (event.kind == Kind::lost && event.transaction.node &&
      event.transaction.purpose != Purpose::self_check && uplink_works) {
    overlay(event.transaction.to.address.family())
        ->table.on_timeout(event.transaction.to, *event.transaction.node);
  }
  if (event.transaction.purpose == Purpose::lookup) on_lookup_event(now, event);
  if (event.transaction.purpose == Purpose::store) on_store_event(now, event);
}

void Node::Parts::ping(Instant now, NodeInfo const& node) {
  krpc::Message query;
  query.method = krpc::Method::ping;
  Transaction transaction;
  transaction.to = node.endpoint;
  transaction.node = node.id;
  send_query(now, query, transaction);
}

void Node::Parts::refresh(Instant now, IpFamily family, NodeId const& target) {
  Operation operation;
  operation.kind = OperationKind::refresh;
  operation.target = target;
  operation.only = family;
  static_cast<void>(begin(now, std::move(operation)));  // too busy: the next tick tries again
}

void Node::Parts::want_bootstrap(Instant now) {
  if (now < resolve_bootstrap_at) return;
  resolve_bootstrap_at = now + resolve_bootstrap_delay;
  resolve_bootstrap_delay = std::min(resolve_bootstrap_delay * 2, resolve_delay_max);
  effects.push(ResolveBootstrap{});
}

void Node::Parts::add_bootstrap_nodes(Instant now, std::span<Endpoint const> nodes) {
  std::vector<Endpoint> fresh;
  for (auto const& node : nodes) {
    if (is_acceptable(node) && fresh.size() < bootstrap_nodes_max) fresh.push_back(node);
  }
  if (fresh.empty()) return;
  bootstrap_nodes = std::move(fresh);
  std::vector<OperationId> waiting;
  for (auto& [id, operation] : operations) {
    for (IpFamily const family : families) {
      auto const index = static_cast<std::size_t>(family);
      auto& lookup = operation.lookups[index];
      if (!lookup || operation.storing || !lookup->answered(1).empty()) continue;
      for (auto const& endpoint : bootstrap_nodes) {
        if (endpoint.address.family() == family) lookup->add_unknown(endpoint);
      }
      operation.asked_bootstrap[index] = true;
    }
    waiting.push_back(id);
  }
  if (table_size() < get_width) refresh_at = now;
  for (OperationId const id : waiting) advance(now, id);
  if (tick_at > now) tick_at = now;
}

void Node::Parts::on_external_address(Instant now, IpFamily family) {
  Overlay& place = *overlay(family);
  IpAddress const address = place.votes.external()->address;
  if (is_secure_id(place.table.self(), address)) return;
  place.table.rebuild(make_secure_id(address, *entropy));
  refresh_at = now;
  self_check_at = now;
}

// Asks ourselves at the endpoint the others see. See on_self_check().
void Node::Parts::check_self(Instant now) {
  self_check_at = now + self_check_every;
  for (IpFamily const family : families) {
    Overlay const* const place = overlay(family);
    if (place == nullptr || !place->votes.external()) continue;
    krpc::Message query;
    query.method = krpc::Method::ping;
    Transaction transaction;
    transaction.to = *place->votes.external();
    transaction.purpose = Purpose::self_check;
    send_query(now, query, transaction);
  }
}

// A table that was given is a grown one: its upkeep is somewhere in its cycle.
void Node::Parts::skip_start(Instant now) {
  start_refreshes = start_refreshes_wanted;
  auto const somewhere_in = [this](Duration cycle) {
    return Duration::from_us(entropy->below(static_cast<std::uint32_t>(cycle.us)));
  };
  tick_at = now + somewhere_in(tick_every);
  bucket_refresh_at = now + somewhere_in(bucket_refresh_every);
  refresh_at = now + somewhere_in(refresh_every);
}

void Node::Parts::tick(Instant now) {
  tick_at = now + tick_every;
  verifications = 0;
  server.on_tick(now);
  bool const thin = table_size() < get_width;
  if (thin && bootstrap_nodes.empty() && saved_nodes.empty()) {
    want_bootstrap(now);
    return;
  }
  for (IpFamily const family : families) {
    Overlay* const place = overlay(family);
    if (place == nullptr) continue;
    if (now >= refresh_at) {
      refresh(now, family, place->table.self());
    } else if (start_refreshes < start_refreshes_wanted && !thin) {
      refresh(now, family, random_id_at(place->table.self(), start_refreshes++, *entropy));
    } else if (now >= bucket_refresh_at) {
      auto const bucket = place->table.stale_bucket(now, silence_before_bucket_refresh);
      if (bucket) {
        place->table.on_refresh(now, *bucket);
        refresh(now, family, random_id_at(place->table.self(), *bucket, *entropy));
      }
    }
    if (auto const* silent = place->table.most_silent(now, silence_before_ping)) {
      ping(now, silent->node);
    }
  }
  if (now >= bucket_refresh_at) bucket_refresh_at = now + bucket_refresh_every;
  if (now >= refresh_at) {
    // Spread over time: nodes started together must not ask together for ever.
    Duration const pause = thin ? Duration::from_s(5) : refresh_every;
    auto const spread_us = static_cast<std::uint32_t>(pause.us / 4);
    refresh_at = now + pause + Duration::from_us(entropy->below(spread_us));
    if (thin) want_bootstrap(now);
  }
  if (settings.mode == Mode::adaptive && now >= self_check_at) check_self(now);
}

}  // namespace dotkey::dht
