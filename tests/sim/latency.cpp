// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/latency.h"

#include <algorithm>
#include <cmath>

namespace dotkey::sim {

namespace {

// A standard normal deviate that depends on `pair` alone: the sum of four 16-bit uniforms.
double pair_deviate(std::uint64_t pair) {
  std::uint64_t z = pair + 0x9e3779b97f4a7c15ULL;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
  z ^= z >> 31;
  double sum = 0;
  for (int i = 0; i < 4; ++i, z >>= 16) sum += static_cast<double>(z & 0xffff) / 65536.0;
  return (sum - 2.0) * std::sqrt(3.0);
}

}  // namespace

engine::Duration LatencyModel::draw(double position_a, double position_b, std::uint64_t pair,
                                    test::SeededEntropy& random) const {
  // Shares of the variance: 0.15 for each end, 0.6 for the path between them, 0.1 for the moment.
  double const deviate = std::sqrt(0.15) * (position_a + position_b) +
                         std::sqrt(0.6) * pair_deviate(pair) + std::sqrt(0.1) * random.normal();
  double const us = static_cast<double>(one_way_median.us) * std::exp(sigma * deviate);
  return engine::Duration::from_us(std::max<std::int64_t>(100, static_cast<std::int64_t>(us)));
}

}  // namespace dotkey::sim
