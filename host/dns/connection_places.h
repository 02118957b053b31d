// SPDX-License-Identifier: Apache-2.0
// How many connections there are: in all, of each client, and how fast new ones come. Shared by
// all shards.
#pragma once

#include <atomic>
#include <mutex>

#include "core/bridge/rate_limit.h"
#include "core/engine/entropy.h"

#include "host/http/client_counts.h"

namespace dotkey::host::dns {

struct ConnectionPlacesSettings {
  std::uint32_t connections_max = 4096;
  std::uint32_t client_max = 128;
  // New ones a second and client; this machine itself is not counted. A TLS handshake costs us
  // 0.2 ms.
  std::uint32_t client_per_s = 50;
  std::uint32_t client_burst = 200;
};

class ConnectionPlaces {
 public:
  ConnectionPlaces(ConnectionPlacesSettings const& settings, engine::Entropy& entropy)
      : settings_(settings),
        counts_(entropy.next_u64()),
        rate_(settings.client_per_s, settings.client_burst, rate_networks_max, entropy.next_u64()) {
  }

  // False when there is no place for one more.
  bool take(engine::Instant now, base::IpAddress const& client) {
    if (open_.load(std::memory_order_relaxed) >= settings_.connections_max) return false;
    base::IpAddress const network = http::network_of(client);
    if (!client.is_loopback()) {
      std::lock_guard const lock(mutex_);
      if (!rate_.take(now, network)) return false;
    }
    if (!counts_.add(network, settings_.client_max)) return false;
    open_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  void give_back(base::IpAddress const& client) {
    counts_.remove(http::network_of(client));
    open_.fetch_sub(1, std::memory_order_relaxed);
  }
  [[nodiscard]] bool is_crowded() const { return open() >= settings_.connections_max / 4 * 3; }
  [[nodiscard]] std::uint32_t open() const { return open_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t rate_networks_max = 16'384;

  ConnectionPlacesSettings settings_;
  http::ClientCounts counts_;
  std::mutex mutex_;
  bridge::RateLimit rate_;
  std::atomic<std::uint32_t> open_ = 0;
};

}  // namespace dotkey::host::dns
