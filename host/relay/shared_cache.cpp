// SPDX-License-Identifier: Apache-2.0
#include "host/relay/shared_cache.h"

#include <algorithm>

namespace dotkey::host::relay {

SharedCache::SharedCache(cache::Settings const& settings, std::uint64_t hash_key)
    : hash_key_(hash_key) {
  cache::Settings part = settings;
  part.entries_max = std::max<std::uint32_t>(settings.entries_max / part_count, 1);
  part.bytes_max = settings.bytes_max / part_count;
  for (auto& slot : parts_) slot = std::make_unique<Part>(part, hash_key);
}

SharedCache::Totals SharedCache::totals() {
  Totals out;
  for (auto& part : parts_) {
    std::lock_guard const lock(part->mutex);
    out.entries += part->cache.size();
    out.bytes += part->cache.bytes();
    out.counters.hits += part->cache.counters().hits;
    out.counters.misses += part->cache.counters().misses;
    out.counters.evictions += part->cache.counters().evictions;
  }
  return out;
}

}  // namespace dotkey::host::relay
