// SPDX-License-Identifier: Apache-2.0
// Counts of the known nodes, for people who look at a node.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/dht/routing_table.h"

namespace dotkey::dht {

// Upper bounds, exclusive, of the classes of round trips.
inline constexpr std::array<std::uint32_t, 7> round_trip_steps_ms{25, 50, 100, 200, 400, 800, 1600};

struct Neighbourhood {
  // By the number of bits that their ids share with ours from the front: the buckets of BEP 5.
  std::vector<std::uint32_t> by_bucket;
  // By their smoothed round trip: below each step, then longer. What was not measured is in none.
  std::array<std::uint32_t, round_trip_steps_ms.size() + 1> by_round_trip{};

  void add(RoutingTable const& table);
};

}  // namespace dotkey::dht
