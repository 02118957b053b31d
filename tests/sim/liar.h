// SPDX-License-Identifier: Apache-2.0
// A node that speaks KRPC and lies in one way of its own.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/dht/types.h"

#include "tests/sim/census.h"
#include "tests/sim/faults.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::sim {

// What the liars of one network conspire with: items that were once published.
struct Lore {
  // Older, properly signed items by target.
  std::unordered_map<NodeId, dht::MutableItem, base::HashFixedBytes> stale;
  // Valid items of any key.
  std::vector<dht::MutableItem> items;
};

class Liar {
 public:
  static constexpr std::size_t sybil_addresses = 3;

  // `lore` and `reachable` outlive the liar. Datagrams to any of `sybils` are the liar's, too.
  Liar(Lie lie, NodeInfo const& self, std::vector<base::IpAddress> sybils, Lore const& lore,
       Census const& reachable, std::uint64_t seed);

  // The answer to a datagram that reached the liar at `at`; nullopt when it keeps silent.
  std::optional<base::Bytes> answer(base::Endpoint const& at, base::Endpoint const& from,
                                    base::ByteView payload);

 private:
  // Items a reply borrows from while it is built.
  struct Borrowed {
    dht::MutableItem item;
  };

  void forge_value(wire::krpc::Message& reply, NodeId const& target, Borrowed& borrowed);
  void offer(wire::krpc::Message& reply, dht::MutableItem const& item);
  [[nodiscard]] std::vector<NodeInfo> fabricate_closer(NodeId const& target, NodeId const& own);
  [[nodiscard]] base::Bytes scramble(base::Bytes reply);

  Lie lie_;
  NodeInfo self_;
  std::vector<base::IpAddress> sybils_;
  Lore const& lore_;
  Census const& reachable_;
  test::SeededEntropy random_;
  // The ids under which sybil endpoints were handed out.
  std::unordered_map<base::Endpoint, NodeId, base::HashEndpoint> fabricated_;
};

}  // namespace dotkey::sim
