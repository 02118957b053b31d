// SPDX-License-Identifier: Apache-2.0
// The nodes that answered lately near a target, with their write tokens: a publisher that looked
// first stores in one round trip, and a second lookup starts at the goal.
#pragma once

#include <map>
#include <vector>

#include "core/dht/types.h"

namespace dotkey::dht {

class ClosestCache {
 public:
  static constexpr std::size_t targets_max = 128;
  // A write token is good for 5 minutes with the strictest node known.
  static constexpr Duration token_lifetime = Duration::from_s(4 * 60);
  static constexpr Duration node_lifetime = Duration::from_s(15 * 60);

  struct Answered {
    NodeInfo node;
    Bytes token;
  };
  struct Entry {
    std::vector<Answered> nodes;
    Instant answered_at;
  };

  void put(Instant now, NodeId const& target, std::vector<Answered> nodes);
  // nullptr when nothing younger than node_lifetime is known.
  [[nodiscard]] Entry const* find(Instant now, NodeId const& target) const;

 private:
  std::map<NodeId, Entry> entries_;
};

}  // namespace dotkey::dht
