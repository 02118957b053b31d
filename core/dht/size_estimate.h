// SPDX-License-Identifier: Apache-2.0
// How many nodes the network has, from how near the closest nodes of finished lookups are.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "core/dht/types.h"

namespace dotkey::dht {

class SizeEstimate {
 public:
  // With n ids spread evenly the i-th closest is expected at i/(n+1) of the space: least squares
  // through the origin over the i closest gives n.
  void on_lookup(NodeId const& target, std::span<NodeInfo const> closest);

  // 0 before the first lookup.
  [[nodiscard]] double nodes() const;
  // Relative standard deviation: 0.281 · lookups^-0.529 (measured by pubky/mainline).
  [[nodiscard]] double deviation() const;

  // False when the `closest` stand so much closer together than chance allows that somebody must
  // have placed nodes around the target; then a lookup widens until it reaches honest ones.
  [[nodiscard]] bool is_plausible(NodeId const& target, std::span<NodeInfo const> closest) const;

 private:
  static constexpr std::size_t lookups_max = 32;
  static constexpr std::size_t lookups_to_judge = 4;
  std::array<double, lookups_max> recent_{};
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace dotkey::dht
