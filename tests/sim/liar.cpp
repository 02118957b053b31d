// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/liar.h"

#include <algorithm>
#include <utility>

#include "core/dht/node_id.h"
#include "core/wire/krpc.h"

namespace dotkey::sim {

namespace krpc = wire::krpc;

namespace {

constexpr std::size_t nodes_offered = 8;
constexpr std::size_t fabricated_max = 4096;

bool wants_value(krpc::Message const& query) {
  return query.method == krpc::Method::get;
}

}  // namespace

Liar::Liar(Lie lie, NodeInfo const& self, std::vector<base::IpAddress> sybils, Lore const& lore,
           Census const& reachable, std::uint64_t seed)
    : lie_(lie),
      self_(self),
      sybils_(std::move(sybils)),
      lore_(lore),
      reachable_(reachable),
      random_(seed) {}

std::optional<base::Bytes> Liar::answer(base::Endpoint const& at, base::Endpoint const& from,
                                        base::ByteView payload) {
  auto const query = krpc::parse_message(payload);
  if (!query || query->kind != krpc::Kind::query) return std::nullopt;
  // Half of the fabricated nodes do not even answer: they only cost time.
  bool const is_sybil = !(at == self_.endpoint);
  if (is_sybil && at.port % 2 == 1) return std::nullopt;

  krpc::Message reply;
  reply.kind = krpc::Kind::response;
  reply.transaction_id = query->transaction_id;
  reply.observed = from;
  reply.id = self_.id;
  if (is_sybil) {
    auto const known = fabricated_.find(at);
    if (known == fabricated_.end()) return std::nullopt;
    reply.id = known->second;
  }
  Borrowed borrowed;
  base::Bytes const token{0x6c, 0x69, 0x61, 0x72};
  if (query->target) {
    reply.token = token;
    if (lie_ == Lie::endless_closer) {
      reply.nodes = fabricate_closer(*query->target, *reply.id);
    } else {
      for (Resident const& near : reachable_.closest(*query->target, nodes_offered)) {
        reply.nodes.push_back(near.info);
      }
    }
    if (wants_value(*query)) forge_value(reply, *query->target, borrowed);
  }
  // Besides its item this one lies about where it sees us.
  if (lie_ == Lie::wrong_signature) reply.observed = base::Endpoint{sybils_.front(), 4242};
  base::Bytes encoded = krpc::encode_message(reply);
  return lie_ == Lie::garbage ? scramble(std::move(encoded)) : std::move(encoded);
}

void Liar::forge_value(krpc::Message& reply, NodeId const& target, Borrowed& borrowed) {
  auto const stale = lore_.stale.find(target);
  switch (lie_) {
    case Lie::stale_sequence:
      if (stale != lore_.stale.end()) offer(reply, stale->second);
      break;
    case Lie::another_key:
      if (lore_.items.empty()) break;
      borrowed.item = lore_.items[random_.below(static_cast<std::uint32_t>(lore_.items.size()))];
      // Every other time it claims the item to be of the key asked for.
      if (random_.unit() < 0.5 && stale != lore_.stale.end()) borrowed.item.key = stale->second.key;
      offer(reply, borrowed.item);
      break;
    case Lie::wrong_signature:
      if (stale == lore_.stale.end()) break;
      borrowed.item = stale->second;
      borrowed.item.sequence += 1000;
      borrowed.item.value = base::to_bytes("6:forged");
      offer(reply, borrowed.item);
      break;
    case Lie::garbage:
    case Lie::endless_closer:
      break;
  }
}

void Liar::offer(krpc::Message& reply, dht::MutableItem const& item) {
  reply.key = item.key;
  reply.signature = item.signature;
  reply.sequence = item.sequence;
  reply.value = item.value;
}

std::vector<NodeInfo> Liar::fabricate_closer(NodeId const& target, NodeId const& own) {
  if (fabricated_.size() + nodes_offered > fabricated_max) fabricated_.clear();
  // Nearer than the one asked, and nearer than any real node of the networks simulated here.
  std::size_t const bits = std::min<std::size_t>(
      152, std::max<std::size_t>(24, dht::common_prefix_bits(target, own) + 4));
  std::vector<NodeInfo> out;
  for (std::size_t i = 0; i < nodes_offered; ++i) {
    NodeInfo node;
    node.id = target;
    auto const noise = random_.next_bytes<NodeId>();
    for (std::size_t bit = bits; bit < NodeId::size * 8; ++bit) {
      auto const mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
      auto& byte = node.id.bytes[bit / 8];
      byte = static_cast<std::uint8_t>(byte ^ (noise.bytes[bit / 8] & mask));
    }
    node.endpoint.address = sybils_[random_.below(static_cast<std::uint32_t>(sybils_.size()))];
    node.endpoint.port = static_cast<std::uint16_t>(1024 + random_.below(60'000));
    fabricated_[node.endpoint] = node.id;
    out.push_back(node);
  }
  return out;
}

base::Bytes Liar::scramble(base::Bytes reply) {
  if (random_.unit() < 0.5) {
    reply.resize(20 + random_.below(200));
    random_.fill(reply);
    return reply;
  }
  for (int i = 0; i < 4; ++i) {
    reply[random_.below(static_cast<std::uint32_t>(reply.size()))] =
        static_cast<std::uint8_t>(random_.below(256));
  }
  return reply;
}

}  // namespace dotkey::sim
