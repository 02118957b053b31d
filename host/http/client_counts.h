// SPDX-License-Identifier: Apache-2.0
// How many connections each client has: one IPv4 address or one IPv6 /64.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "core/base/endpoint.h"

namespace dotkey::host::http {

// The address itself, or the first 64 bits of an IPv6 one: what one customer of a provider has.
base::IpAddress network_of(base::IpAddress const& address);

// For several threads. Never larger than the number of connections.
class ClientCounts {
 public:
  // `hash_key`: a secret, since strangers choose the addresses.
  explicit ClientCounts(std::uint64_t hash_key) : counts_(0, base::HashEndpoint{hash_key}) {}

  // False when the client has `max` already.
  bool add(base::IpAddress const& client, std::uint32_t max);
  void remove(base::IpAddress const& client);

 private:
  std::mutex mutex_;
  std::unordered_map<base::IpAddress, std::uint32_t, base::HashEndpoint> counts_;
};

}  // namespace dotkey::host::http
