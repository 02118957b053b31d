// SPDX-License-Identifier: Apache-2.0
#include "core/dht/storage.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/dht/node_id.h"

namespace dotkey::dht {

template <class Value>
Value* ExpiringStore<Value>::find(Instant now, NodeId const& target) {
  auto const found = by_distance_.find(distance(self_, target));
  if (found == by_distance_.end() || found->second.expires_at <= now) return nullptr;
  return &found->second.value;
}

template <class Value>
bool ExpiringStore<Value>::put(NodeId const& target, Value value, Instant expires_at) {
  NodeId const key = distance(self_, target);
  auto const found = by_distance_.find(key);
  if (found != by_distance_.end()) {
    found->second = {std::move(value), expires_at};
    return true;
  }
  if (size_max_ == 0) return false;
  if (by_distance_.size() >= size_max_) {
    auto const farthest = std::prev(by_distance_.end());
    if (farthest->first < key) return false;
    by_distance_.erase(farthest);
  }
  by_distance_.emplace(key, Entry{std::move(value), expires_at});
  return true;
}

template <class Value>
void ExpiringStore<Value>::drop_expired(Instant now) {
  std::erase_if(by_distance_, [&](auto const& entry) { return entry.second.expires_at <= now; });
}

Storage::Storage(Settings const& settings, NodeId const& self)
    : item_lifetime_(settings.item_lifetime),
      peer_lifetime_(settings.peer_lifetime),
      mutable_(self, settings.stored_mutable_max),
      immutable_(self, settings.stored_immutable_max),
      swarms_(self, settings.stored_swarms_max) {}

MutableItem const* Storage::find_mutable(Instant now, NodeId const& target) {
  return mutable_.find(now, target);
}

Bytes const* Storage::find_immutable(Instant now, NodeId const& target) {
  return immutable_.find(now, target);
}

bool Storage::put_mutable(Instant now, NodeId const& target, MutableItem item) {
  return mutable_.put(target, std::move(item), now + item_lifetime_);
}

bool Storage::put_immutable(Instant now, NodeId const& target, Bytes value) {
  return immutable_.put(target, std::move(value), now + item_lifetime_);
}

std::vector<Endpoint> Storage::find_peers(Instant now, NodeId const& info_hash, IpFamily family,
                                          std::size_t count, engine::Entropy& entropy) {
  std::vector<Endpoint> out;
  Swarm const* const swarm = swarms_.find(now, info_hash);
  if (swarm == nullptr) return out;
  for (auto const& peer : *swarm) {
    if (peer.expires_at > now && peer.endpoint.address.family() == family) {
      out.push_back(peer.endpoint);
    }
  }
  for (std::size_t i = 0; i < out.size() && i < count; ++i) {  // Fisher-Yates, as far as needed
    auto const rest = static_cast<std::uint32_t>(out.size() - i);
    std::swap(out[i], out[i + entropy.below(rest)]);
  }
  if (out.size() > count) out.resize(count);
  return out;
}

bool Storage::put_peer(Instant now, NodeId const& info_hash, Endpoint const& peer) {
  Instant const expires_at = now + peer_lifetime_;
  Swarm* const known = swarms_.find(now, info_hash);
  if (known == nullptr) return swarms_.put(info_hash, Swarm{{peer, expires_at}}, expires_at);
  Swarm swarm = std::move(*known);
  std::erase_if(swarm, [&](Peer const& p) { return p.expires_at <= now || p.endpoint == peer; });
  if (swarm.size() >= peers_per_swarm_max) swarm.erase(swarm.begin());
  swarm.push_back({peer, expires_at});
  return swarms_.put(info_hash, std::move(swarm), expires_at);
}

void Storage::drop_expired(Instant now) {
  mutable_.drop_expired(now);
  immutable_.drop_expired(now);
  swarms_.drop_expired(now);
}

}  // namespace dotkey::dht
