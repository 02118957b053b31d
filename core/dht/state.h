// SPDX-License-Identifier: Apache-2.0
// What a node keeps between two runs: its ids and the nodes it knew.
#pragma once

#include <optional>
#include <vector>

#include "core/dht/types.h"

namespace dotkey::dht {

struct SavedState {
  static constexpr std::size_t nodes_max = 1000;
  NodeId id_v4;
  NodeId id_v6;
  std::vector<NodeInfo> nodes;
};

// At most 64 KiB; nodes beyond nodes_max are left out.
Bytes encode_state(SavedState const& state);

// nullopt for anything encode_state() would not write.
std::optional<SavedState> parse_state(ByteView bytes);

}  // namespace dotkey::dht
