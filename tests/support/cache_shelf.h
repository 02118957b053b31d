// SPDX-License-Identifier: Apache-2.0
// A relay server's shelf that is a packet cache.
#pragma once

#include "core/cache/packet_cache.h"
#include "core/relay/server.h"

namespace dotkey::test {

class CacheShelf final : public relay::PacketShelf {
 public:
  explicit CacheShelf(cache::PacketCache& cache) : cache_(cache) {}

  std::optional<Entry> find(crypto::PublicKey const& key) override {
    auto const entry = cache_.find(key);
    if (!entry || !entry->is_packet()) return std::nullopt;
    return Entry{entry->canonical, entry->last_seen, entry->ttl_s};
  }
  void put(engine::Moment now, record::SignedPacket const& packet) override {
    cache_.put(packet, now.unix_time);
  }

 private:
  cache::PacketCache& cache_;
};

}  // namespace dotkey::test
