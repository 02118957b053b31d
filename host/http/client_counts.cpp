// SPDX-License-Identifier: Apache-2.0
#include "host/http/client_counts.h"

#include <algorithm>
#include <array>

namespace dotkey::host::http {

base::IpAddress network_of(base::IpAddress const& address) {
  if (address.is_v4()) return address;
  std::array<std::uint8_t, 16> bytes{};
  std::copy_n(address.bytes().begin(), 8, bytes.begin());
  return base::IpAddress::v6(bytes);
}

bool ClientCounts::add(base::IpAddress const& client, std::uint32_t max) {
  std::lock_guard const lock(mutex_);
  std::uint32_t& count = counts_[network_of(client)];
  if (count >= max) return false;
  ++count;
  return true;
}

void ClientCounts::remove(base::IpAddress const& client) {
  std::lock_guard const lock(mutex_);
  auto const found = counts_.find(network_of(client));
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace dotkey::host::http
