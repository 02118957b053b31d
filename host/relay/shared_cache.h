// SPDX-License-Identifier: Apache-2.0
// One packet cache for several threads: cut into parts by key, each under its own lock.
#pragma once

#include <array>
#include <memory>
#include <mutex>

#include "core/cache/packet_cache.h"

namespace dotkey::host::relay {

class SharedCache {
 public:
  // The bounds are of all parts together. `hash_key`: a secret.
  SharedCache(cache::Settings const& settings, std::uint64_t hash_key);

  // Runs `use(cache::PacketCache&)` on the part of this key, under its lock.
  template <class Use>
  auto with(crypto::PublicKey const& key, Use use) {
    Part& part = *parts_[base::hash_of(key, hash_key_) >> 32 & (part_count - 1)];
    std::lock_guard const lock(part.mutex);
    return use(part.cache);
  }

  struct Totals {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    cache::Counters counters;
  };
  [[nodiscard]] Totals totals();

 private:
  static constexpr std::size_t part_count = 16;
  struct Part {
    explicit Part(cache::Settings const& settings, std::uint64_t key) : cache(settings, key) {}
    std::mutex mutex;
    cache::PacketCache cache;
  };

  std::uint64_t hash_key_;
  std::array<std::unique_ptr<Part>, part_count> parts_;
};

}  // namespace dotkey::host::relay
