// SPDX-License-Identifier: Apache-2.0
#include "core/dht/size_estimate.h"

#include <algorithm>
#include <cmath>

#include "core/dht/node_id.h"

namespace dotkey::dht {

void SizeEstimate::on_lookup(NodeId const& target, std::span<NodeInfo const> closest) {
  if (closest.size() < k_nodes / 2) return;
  double squares = 0;
  double weighted = 0;
  for (std::size_t i = 0; i < closest.size(); ++i) {
    auto const rank = static_cast<double>(i + 1);
    squares += rank * rank;
    weighted += rank * distance_fraction(target, closest[i].id);
  }
  if (weighted <= 0) return;
  recent_[next_] = squares / weighted;
  next_ = (next_ + 1) % lookups_max;
  count_ = std::min(count_ + 1, lookups_max);
}

// The median: one target that an attacker surrounds with nodes does not move it.
double SizeEstimate::nodes() const {
  if (count_ == 0) return 0;
  auto sorted = recent_;
  auto const end = sorted.begin() + static_cast<std::ptrdiff_t>(count_);
  auto const middle = sorted.begin() + static_cast<std::ptrdiff_t>(count_ / 2);
  std::nth_element(sorted.begin(), middle, end);
  return *middle;
}

double SizeEstimate::deviation() const {
  return count_ == 0 ? 0 : 0.281 * std::pow(static_cast<double>(count_), -0.529);
}

bool SizeEstimate::is_plausible(NodeId const& target, std::span<NodeInfo const> closest) const {
  if (count_ < lookups_to_judge || closest.size() < k_nodes) return true;
  double const expected = static_cast<double>(closest.size()) / (nodes() + 1);
  // The k-th distance of an honest network varies by about 1/sqrt(k) = 22 %; a third of the
  // expectation is three deviations away.
  return distance_fraction(target, closest.back().id) > expected / 3;
}

}  // namespace dotkey::dht
