// SPDX-License-Identifier: Apache-2.0
#include "core/dht/closest_cache.h"

#include <algorithm>
#include <utility>

namespace dotkey::dht {

void ClosestCache::put(Instant now, NodeId const& target, std::vector<Answered> nodes) {
  if (entries_.size() >= targets_max && !entries_.contains(target)) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](auto& a, auto& b) {
      return a.second.answered_at < b.second.answered_at;
    }));
  }
  entries_.insert_or_assign(target, Entry{std::move(nodes), now});
}

ClosestCache::Entry const* ClosestCache::find(Instant now, NodeId const& target) const {
  auto const found = entries_.find(target);
  if (found == entries_.end() || now - found->second.answered_at > node_lifetime) return nullptr;
  return &found->second;
}

}  // namespace dotkey::dht
