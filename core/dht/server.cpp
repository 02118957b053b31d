// SPDX-License-Identifier: Apache-2.0
#include "core/dht/server.h"

#include "core/crypto/ed25519.h"

namespace dotkey::dht {

namespace krpc = wire::krpc;

namespace {

constexpr Duration sweep_every = Duration::from_s(60);
constexpr std::size_t peers_per_reply_max = 50;

void refuse(Reply& reply, std::int64_t code, std::string_view description) {
  reply.message = krpc::Message{};
  reply.message.kind = krpc::Kind::error;
  reply.message.code = code;
  reply.message.description = base::view_of(description);
  reply.wants_nodes = false;
}

}  // namespace

Server::Server(Settings const& settings, NodeId const& self, engine::Entropy& entropy, Instant now)
    : entropy_(&entropy), storage_(settings, self), tokens_(entropy, now), swept_at_(now) {}

void Server::on_tick(Instant now) {
  tokens_.rotate_if_due(*entropy_, now);
  if (now - swept_at_ < sweep_every) return;
  swept_at_ = now;
  storage_.drop_expired(now);
}

void Server::answer(Instant now, Endpoint const& from, krpc::Message const& query, Reply& reply) {
  on_tick(now);
  reply.message.kind = krpc::Kind::response;
  switch (query.method) {
    case krpc::Method::ping:
      break;
    case krpc::Method::find_node:
      reply.wants_nodes = true;
      reply.nodes_target = *query.target;
      break;
    case krpc::Method::get:
    case krpc::Method::get_peers:
      reply.wants_nodes = true;
      reply.nodes_target = *query.target;
      reply.token = tokens_.token_for(from.address);
      reply.message.token = ByteView(reply.token);
      if (query.method == krpc::Method::get) {
        answer_get(now, query, reply);
      } else {
        answer_get_peers(now, from, query, reply);
      }
      break;
    case krpc::Method::put:
      answer_put(now, from, query, reply);
      break;
    case krpc::Method::announce_peer:
      answer_announce(now, from, query, reply);
      break;
    case krpc::Method::unknown:
      refuse(reply, krpc::error_code::method_unknown, "Method Unknown");
      break;
  }
}

void Server::answer_get(Instant now, krpc::Message const& query, Reply& reply) {
  if (auto const* item = storage_.find_mutable(now, *query.target)) {
    reply.message.sequence = item->sequence;
    if (query.sequence && item->sequence <= *query.sequence) return;
    reply.message.key = item->key;
    reply.message.signature = item->signature;
    reply.message.value = ByteView(item->value);
  } else if (auto const* value = storage_.find_immutable(now, *query.target)) {
    reply.message.value = ByteView(*value);
  }
}

void Server::answer_get_peers(Instant now, Endpoint const& from, krpc::Message const& query,
                              Reply& reply) {
  reply.message.peers = storage_.find_peers(now, *query.target, from.address.family(),
                                            peers_per_reply_max, *entropy_);
}

// The order of the checks is BEP 44's and decides which error a faulty put earns.
void Server::answer_put(Instant now, Endpoint const& from, krpc::Message const& query,
                        Reply& reply) {
  if (!tokens_.is_valid(from.address, *query.token)) {
    return refuse(reply, krpc::error_code::protocol, "Bad token");
  }
  if (query.value->size() > krpc::value_size_max) {
    return refuse(reply, krpc::error_code::value_too_large, "Message (v field) too big");
  }
  if (query.key) return answer_put_mutable(now, query, reply);
  NodeId const target = krpc::immutable_target(*query.value);
  if (query.target && !(*query.target == target)) {
    return refuse(reply, krpc::error_code::protocol, "target is not the hash of v");
  }
  if (!storage_.put_immutable(now, target, base::to_bytes(*query.value))) {
    refuse(reply, krpc::error_code::server, "Storage full");
  }
}

void Server::answer_put_mutable(Instant now, krpc::Message const& query, Reply& reply) {
  ByteView const salt = query.salt.value_or(ByteView{});
  if (salt.size() > krpc::salt_size_max) {
    return refuse(reply, krpc::error_code::salt_too_large, "salt (salt field) too big");
  }
  NodeId const target = krpc::mutable_target(*query.key, salt);
  if (query.target && !(*query.target == target)) {
    return refuse(reply, krpc::error_code::protocol, "target is not the hash of k and salt");
  }
  auto const* stored = storage_.find_mutable(now, target);
  if (stored != nullptr) {
    if (query.cas && *query.cas != stored->sequence) {
      return refuse(reply, krpc::error_code::cas_mismatch, "CAS mismatch");
    }
    // Of two values with one sequence number the larger wins everywhere, so that all nodes end
    // with the same; pkarr orders packets so.
    bool const older =
        *query.sequence < stored->sequence ||
        (*query.sequence == stored->sequence && base::compare(*query.value, stored->value) < 0);
    if (older)
      return refuse(reply, krpc::error_code::sequence_too_old, "sequence number less than current");
  }
  Bytes const message = krpc::signable(salt, *query.sequence, *query.value);
  if (!crypto::verify(*query.key, *query.signature, message)) {
    return refuse(reply, krpc::error_code::signature_invalid, "Invalid signature");
  }
  MutableItem item{*query.key, base::to_bytes(salt), *query.sequence, base::to_bytes(*query.value),
                   *query.signature};
  if (!storage_.put_mutable(now, target, std::move(item))) {
    refuse(reply, krpc::error_code::server, "Storage full");
  }
}

void Server::answer_announce(Instant now, Endpoint const& from, krpc::Message const& query,
                             Reply& reply) {
  if (!tokens_.is_valid(from.address, *query.token)) {
    return refuse(reply, krpc::error_code::protocol, "Bad token");
  }
  std::uint16_t const port = query.implied_port ? from.port : query.port.value_or(0);
  if (port == 0) return refuse(reply, krpc::error_code::protocol, "Bad port");
  if (!storage_.put_peer(now, *query.target, {from.address, port})) {
    refuse(reply, krpc::error_code::server, "Storage full");
  }
}

}  // namespace dotkey::dht
