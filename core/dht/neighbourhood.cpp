// SPDX-License-Identifier: Apache-2.0
#include "core/dht/neighbourhood.h"

#include <algorithm>

#include "core/dht/node_id.h"

namespace dotkey::dht {
namespace {

std::size_t class_of(std::uint32_t rtt_us) {
  auto const above =
      std::upper_bound(round_trip_steps_ms.begin(), round_trip_steps_ms.end(), rtt_us / 1000);
  return static_cast<std::size_t>(above - round_trip_steps_ms.begin());
}

}  // namespace

void Neighbourhood::add(RoutingTable const& table) {
  for (Contact const& contact : table.contacts()) {
    std::size_t const bucket = common_prefix_bits(table.self(), contact.node.id);
    if (bucket >= by_bucket.size()) by_bucket.resize(bucket + 1);
    ++by_bucket[bucket];
    if (contact.rtt_us > 0) ++by_round_trip[class_of(contact.rtt_us)];
  }
}

}  // namespace dotkey::dht
