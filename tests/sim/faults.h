// SPDX-License-Identifier: Apache-2.0
// Everything that goes wrong in a simulated network, in one struct.
#pragma once

#include <cstdint>
#include <string>

#include "core/engine/time.h"

namespace dotkey::sim {

// How a lying node answers. It still hands out tokens and acknowledges puts it throws away.
enum class Lie : std::uint8_t {
  garbage,          // random bytes, or a proper reply with some bytes changed
  stale_sequence,   // the key's older item, properly signed
  another_key,      // a valid item, but of another key
  wrong_signature,  // the right key, a higher sequence, a forged signature
  endless_closer,   // no item, but ever closer nodes that do not exist, on few addresses
};
inline constexpr std::uint32_t lies_count = 5;
inline constexpr std::uint32_t lies_all = (1U << lies_count) - 1;

// Shares are of 1.
struct Faults {
  double loss = 0;         // datagrams that vanish
  double duplication = 0;  // datagrams that arrive twice
  double reordering =
      0;             // datagrams that take up to four times as long, so that later ones overtake
  double nat = 0;    // nodes that only hear endpoints they wrote to within the last minute
  double dead = 0;   // routing entries whose node has gone
  double liars = 0;  // reachable nodes that lie
  std::uint32_t lies = lies_all;  // bit n: Lie n; liars are spread evenly over the kinds set
  // Each node's mean lifetime (exponential); a new node joins for each that leaves. 0: no churn.
  engine::Duration mean_lifetime;
};

// Swarm testing: each fault kind is present or absent by the bits of `seed`, at a strength that
// real networks show.
Faults swarm_faults(std::uint64_t seed);

// "loss 3 %, dead 20 %, NAT 25 %"
std::string describe(Faults const& faults);

}  // namespace dotkey::sim
