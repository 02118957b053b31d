// SPDX-License-Identifier: Apache-2.0
// How long a datagram travels: log-normal over all datagrams of a network, yet much the same every
// time for one pair of nodes, as on the Internet.
#pragma once

#include <cstdint>

#include "core/engine/time.h"

#include "tests/support/seeded_entropy.h"

namespace dotkey::sim {

struct LatencyModel {
  // Median of one way. A round trip takes twice that in the median.
  engine::Duration one_way_median = engine::Duration::from_ms(40);
  // Standard deviation of the natural logarithm.
  double sigma = 0.5;

  // What each node adds by where it stands, in standard deviations; drawn once a node.
  static double draw_position(test::SeededEntropy& random) { return random.normal(); }

  // `pair` names the two nodes, the same for both directions.
  [[nodiscard]] engine::Duration draw(double position_a, double position_b, std::uint64_t pair,
                                      test::SeededEntropy& random) const;
};

}  // namespace dotkey::sim
