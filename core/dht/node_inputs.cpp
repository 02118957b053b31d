// SPDX-License-Identifier: Apache-2.0
// Datagrams in: queries are answered, answers find the operation that waits for them.
#include <algorithm>

#include "core/base/integers.h"
#include "core/dht/node_id.h"
#include "core/dht/node_parts.h"

namespace dotkey::dht {

namespace krpc = wire::krpc;

namespace {

// Pings to newcomers for one second of queries: they enter the table only once they answered.
constexpr std::uint32_t verifications_per_tick_max = 10;
// Bytes of a reply around its variable parts, rounded up: keys, lengths, id, ip, t, v, y.
constexpr std::size_t reply_frame_size = 110;
constexpr std::size_t signed_fields_size = 150;  // k, sig, seq
constexpr std::size_t node_size_v4 = 26;
constexpr std::size_t node_size_v6 = 38;

// Mainline's nodes look at their socket every 50 ms, and a busy one takes longer.
constexpr Duration store_lost_min = Duration::from_ms(500);

constexpr std::uint8_t client_version[] = {'D', 'K', 0, 1};

krpc::Want want_of(std::optional<krpc::Want> const& want, IpFamily from) {
  if (want && (want->n4 || want->n6)) return *want;
  return {from == IpFamily::v4, from == IpFamily::v6};
}

}  // namespace

bool Node::Parts::is_acceptable(Endpoint const& endpoint) const {
  if (endpoint.port == 0 || overlay(endpoint.address.family()) == nullptr) return false;
  if (endpoint.address.is_global()) return true;
  return settings.allow_local_network && !endpoint.address.is_multicast() &&
         !endpoint.address.is_unspecified();
}

bool Node::Parts::is_read_only() const {
  return settings.mode == Mode::client || (settings.mode == Mode::adaptive && !reachable);
}

void Node::Parts::send(Endpoint const& to, Bytes payload) {
  if (effects.push(SendDatagram{to, std::move(payload)})) ++counters.datagrams_out;
}

bool Node::Parts::send_query(Instant now, krpc::Message& query, Transaction transaction) {
  Overlay* const place = overlay(transaction.to.address.family());
  if (place == nullptr) return false;
  Contact const* const contact =
      transaction.node ? place->table.on_asked(now, *transaction.node, transaction.to) : nullptr;
  Patience const patience = round_trip.patience_for(contact == nullptr ? 0 : contact->rtt_us);
  transaction.sent = now;
  transaction.overdue_at = now + patience.overdue;
  // Who takes a store has just answered a lookup, so it lives; but it checks a signature first.
  transaction.lost_at =
      now + (transaction.purpose == Purpose::store ? std::max(patience.lost, store_lost_min)
                                                   : patience.lost);
  auto const id = transactions.begin(transaction, *entropy);
  if (!id) return false;
  std::uint8_t tid[4];
  base::write_be(tid, *id);
  query.kind = krpc::Kind::query;
  query.id = place->table.self();
  query.transaction_id = tid;
  query.client_version = ByteView(client_version);
  query.read_only = is_read_only();
  send(transaction.to, krpc::encode_message(query));
  return true;
}

void Node::Parts::on_datagram(Instant now, Endpoint const& from, ByteView payload) {
  ++counters.datagrams_in;
  if (!is_acceptable(from)) {
    ++counters.datagrams_dropped;
    return;
  }
  auto const message = krpc::parse_message(payload);
  if (!message) {
    ++counters.datagrams_dropped;
    return;
  }
  if (message->kind == krpc::Kind::query) {
    on_query(now, from, *message);
  } else {
    on_answer(now, from, *message);
  }
}

void Node::Parts::on_query(Instant now, Endpoint const& from, krpc::Message const& query) {
  Overlay& place = *overlay(from.address.family());
  // Queries of unknown methods are answered with an error, and may come without an id.
  if (query.id == place.table.self()) return on_self_check(from, query);
  bool const limited = !(settings.allow_local_network && from.address.is_local_network());
  if (is_read_only() || (limited && !limiter.allow(now, from.address))) {
    ++counters.datagrams_dropped;
    return;
  }
  Reply reply;
  server.answer(now, from, query, reply);
  krpc::Message& message = reply.message;
  message.transaction_id = query.transaction_id;
  message.client_version = ByteView(client_version);
  message.observed = from;
  if (message.kind == krpc::Kind::response) message.id = place.table.self();
  if (reply.wants_nodes) add_nodes_to(message, from, query.want, reply.nodes_target);
  send(from, krpc::encode_message(message));

  // A newcomer that we have a place for is asked whether it answers.
  if (!query.id) return;
  NodeInfo const asker{*query.id, from};
  if (!query.read_only && verifications < verifications_per_tick_max &&
      place.table.has_place_for(asker)) {
    ++verifications;
    ping(now, asker);
  }
}

// As many of the closest nodes as the reply has room for: a reply is never fragmented.
void Node::Parts::add_nodes_to(krpc::Message& reply, Endpoint const& from,
                               std::optional<krpc::Want> want, NodeId const& target) const {
  std::size_t size = reply_frame_size + reply.transaction_id.size();
  if (reply.token) size += reply.token->size() + 16;
  if (reply.value) size += reply.value->size() + 16;
  if (reply.signature) size += signed_fields_size;
  for (auto const& peer : reply.peers) size += peer.address.bytes().size() + 6;
  krpc::Want const families_wanted = want_of(want, from.address.family());
  for (IpFamily const family : families) {
    bool const wanted = family == IpFamily::v4 ? families_wanted.n4 : families_wanted.n6;
    Overlay const* const place = overlay(family);
    if (!wanted || place == nullptr || size >= settings.reply_size_max) continue;
    std::size_t const each = family == IpFamily::v4 ? node_size_v4 : node_size_v6;
    std::size_t const room = (settings.reply_size_max - size) / each;
    auto const nodes = place->table.closest(target, std::min(room, k_nodes), true);
    reply.nodes.insert(reply.nodes.end(), nodes.begin(), nodes.end());
    size += nodes.size() * each;
  }
}

void Node::Parts::on_answer(Instant now, Endpoint const& from, krpc::Message const& message) {
  std::optional<Transaction> transaction;
  if (message.transaction_id.size() == 4) {
    transaction = transactions.take(base::read_be<std::uint32_t>(message.transaction_id), from);
  }
  if (!transaction) {
    ++counters.datagrams_dropped;
    return;
  }
  last_received = now;
  Duration const rtt = now - transaction->sent;
  round_trip.on_sample(rtt);
  Overlay& place = *overlay(from.address.family());
  if (message.observed && message.observed->address.family() == from.address.family() &&
      place.votes.on_vote(from.address, *message.observed)) {
    on_external_address(now, from.address.family());
  }
  if (message.kind == krpc::Kind::response) {
    NodeInfo const node{*message.id, from};
    bool const same_node = !transaction->node || *transaction->node == node.id;
    // A node that answers under another id than it was introduced with is not what was asked for.
    if (!same_node) {
      place.table.on_timeout(from, *transaction->node);
      if (transaction->purpose == Purpose::lookup) {
        on_lookup_event(now, {Transactions::Event::Kind::lost, 0, *transaction});
      }
      return;
    }
    if (!message.read_only) {
      auto const rtt_us = std::clamp<std::int64_t>(rtt.us, 1, 60'000'000);
      place.table.on_response(now, node, static_cast<std::uint32_t>(rtt_us));
    }
  }
  switch (transaction->purpose) {
    case Purpose::maintenance:
    case Purpose::self_check:
      break;
    case Purpose::lookup:
      if (message.kind == krpc::Kind::response) {
        on_lookup_answer(now, *transaction, {*message.id, from}, message);
      } else {
        if (Operation* const operation = find_operation(transaction->operation)) {
          ++operation->outcome.tally.errors;
        }
        on_lookup_event(now, {Transactions::Event::Kind::lost, 0, *transaction});
      }
      break;
    case Purpose::store:
      on_store_answer(now, *transaction, message);
      break;
  }
}

// A query under our own id: our own ping, if its transaction id is one that nobody else could know.
// It went to our external endpoint and came back in, so the outside can reach us. (The source is
// the external endpoint too, unless the router rewrote it.)
void Node::Parts::on_self_check(Endpoint const& from, krpc::Message const& query) {
  if (query.transaction_id.size() != 4) return;
  auto const id = base::read_be<std::uint32_t>(query.transaction_id);
  auto const own = transactions.take(id, from);
  if (own && own->purpose == Purpose::self_check) reachable = true;
}

}  // namespace dotkey::dht
