// SPDX-License-Identifier: Apache-2.0
// One command under way: a lookup in each family, then perhaps a store.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/dht/lookup.h"
#include "core/dht/types.h"

namespace dotkey::dht {

enum class OperationKind : std::uint8_t {
  get_mutable,
  put_mutable,
  get_immutable,
  put_immutable,
  find_node,
  get_peers,
  announce_peer,
  refresh,  // our own find_node, which nobody waits for
};

// A node that is to store something.
struct StoreTarget {
  enum class State : std::uint8_t { reserve, waiting, stored, refused, silent };
  NodeInfo node;
  Bytes token;
  State state = State::reserve;
  std::uint8_t attempts = 0;
  std::uint8_t open = 0;  // requests of it that are under way
};

struct Operation {
  OperationKind kind = OperationKind::refresh;
  OperationId id{};
  NodeId target;
  Instant give_up_at;  // no operation outlives this
  Instant starve_at;   // nor this, while it knows nobody to ask

  // What to get or to put.
  std::optional<crypto::PublicKey> key;
  Bytes salt;
  std::optional<std::int64_t> newer_than;
  bool stop_at_first = false;
  std::optional<MutableItem> item;
  std::optional<std::int64_t> cas;
  Bytes value;
  std::uint16_t port = 0;
  std::optional<IpFamily> only;  // a refresh is about one family's table

  std::array<std::optional<Lookup>, 2> lookups;  // by IpFamily
  std::array<bool, 2> asked_bootstrap{};
  bool storing = false;
  std::array<std::vector<StoreTarget>, 2> stores;  // by IpFamily, nearest first
  Outcome outcome;

  [[nodiscard]] bool stores_something() const {
    return kind == OperationKind::put_mutable || kind == OperationKind::put_immutable ||
           kind == OperationKind::announce_peer;
  }
};

}  // namespace dotkey::dht
