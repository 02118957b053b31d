// SPDX-License-Identifier: Apache-2.0
// What only the simulator knows: all nodes of the network by id, hence the truly closest ones to a
// target and the routing table that a node would have grown in a long life.
#pragma once

#include <cstdint>
#include <vector>

#include "core/wire/krpc.h"

#include "tests/support/seeded_entropy.h"

namespace dotkey::sim {

using wire::krpc::NodeId;
using wire::krpc::NodeInfo;

struct Resident {
  NodeInfo info;
  std::uint32_t host = 0;
};

class Census {
 public:
  // In any order; call sort() before asking.
  void add_unsorted(Resident const& resident) { residents_.push_back(resident); }
  void sort();
  void insert(Resident const& resident);
  void remove(NodeId const& id);

  [[nodiscard]] std::size_t size() const { return residents_.size(); }
  [[nodiscard]] Resident const& at(std::size_t index) const { return residents_[index]; }
  // Nearest first.
  [[nodiscard]] std::vector<Resident> closest(NodeId const& target, std::size_t count) const;
  // Random nodes of each distance from `own`, as many as the routing table's bucket holds but at
  // most `bucket_max`.
  [[nodiscard]] std::vector<NodeInfo> draw_table(NodeId const& own, std::size_t bucket_max,
                                                 test::SeededEntropy& random) const;

 private:
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  // The residents that share the first `bits` bits of `id`, searched for within `within`.
  [[nodiscard]] Range with_prefix(NodeId const& id, std::size_t bits, Range within) const;

  std::vector<Resident> residents_;
};

}  // namespace dotkey::sim
