// SPDX-License-Identifier: Apache-2.0
// What other nodes store with us: BEP 44 items and BEP 5 peers. Bounded and expiring.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "core/dht/types.h"
#include "core/engine/entropy.h"

namespace dotkey::dht {

// When a table is full the entry farthest from our own id gives way: the one the network expects
// us least to have, and the one a flood of random keys is most likely to be.
template <class Value>
class ExpiringStore {
 public:
  struct Entry {
    Value value;
    Instant expires_at;
  };

  ExpiringStore(NodeId const& self, std::size_t size_max) : self_(self), size_max_(size_max) {}

  Value* find(Instant now, NodeId const& target);
  // Stores or replaces; false when the table is full of entries closer to us.
  bool put(NodeId const& target, Value value, Instant expires_at);
  void drop_expired(Instant now);
  [[nodiscard]] std::size_t size() const { return by_distance_.size(); }

 private:
  NodeId self_;
  std::size_t size_max_;
  std::map<NodeId, Entry> by_distance_;
};

class Storage {
 public:
  static constexpr std::size_t peers_per_swarm_max = 200;

  Storage(Settings const& settings, NodeId const& self);

  MutableItem const* find_mutable(Instant now, NodeId const& target);
  Bytes const* find_immutable(Instant now, NodeId const& target);
  // At most `count` peers of the swarm of one family, chosen at random.
  std::vector<Endpoint> find_peers(Instant now, NodeId const& info_hash, IpFamily family,
                                   std::size_t count, engine::Entropy& entropy);
  bool put_mutable(Instant now, NodeId const& target, MutableItem item);
  bool put_immutable(Instant now, NodeId const& target, Bytes value);
  bool put_peer(Instant now, NodeId const& info_hash, Endpoint const& peer);
  void drop_expired(Instant now);

  [[nodiscard]] std::size_t mutable_size() const { return mutable_.size(); }
  [[nodiscard]] std::size_t immutable_size() const { return immutable_.size(); }

 private:
  struct Peer {
    Endpoint endpoint;
    Instant expires_at;
  };
  using Swarm = std::vector<Peer>;

  Duration item_lifetime_;
  Duration peer_lifetime_;
  ExpiringStore<MutableItem> mutable_;
  ExpiringStore<Bytes> immutable_;
  ExpiringStore<Swarm> swarms_;
};

}  // namespace dotkey::dht
