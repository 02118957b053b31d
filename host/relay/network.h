// SPDX-License-Identifier: Apache-2.0
// What a relay asks of the world: packets from the DHT, and packets to it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/relay/server.h"

#include "host/loop/node_driver.h"
#include "host/relay/shared_cache.h"
#include "host/store/packet_store.h"

namespace dotkey::host::relay {

// Lives on the main loop. Lookups of one key share one walk through the DHT.
class Network {
 public:
  using OnResolved = std::function<void(dotkey::relay::ResolveAnswer const&)>;
  using OnPublished = std::function<void(dotkey::relay::PublishAnswer const&)>;

  // All outlive this object. `driver` may be null: then this relay knows what it was given.
  Network(loop::NodeDriver* driver, SharedCache& cache, store::PacketStore& store);
  [[nodiscard]] bool has_dht() const { return driver_ != nullptr; }  // on any thread

  void resolve(crypto::PublicKey const& key, dotkey::relay::Policy policy, OnResolved on_resolved);
  // Answers once the packet is in the DHT; there is one.
  void publish(record::SignedPacket const& packet, std::optional<std::int64_t> cas_us,
               OnPublished on_published);

 private:
  struct Lookup {
    std::optional<record::SignedPacket> best;
    std::optional<std::int64_t> invalid_timestamp;
    std::int64_t floor_us = -1;         // of the packet cached when the lookup began
    std::vector<OnResolved> impatient;  // content with the first packet
    std::vector<OnResolved> patient;
  };

  void on_item(crypto::PublicKey const& key, dht::MutableItem const& item);
  void on_finished(crypto::PublicKey const& key, dht::Outcome const& outcome);

  loop::NodeDriver* driver_;
  SharedCache& cache_;
  store::PacketStore& store_;
  std::map<crypto::PublicKey, Lookup> lookups_;
};

}  // namespace dotkey::host::relay
