// SPDX-License-Identifier: Apache-2.0
// Nodes and addresses for the tests of the DHT node's parts.
#pragma once

#include "core/dht/node_id.h"
#include "core/wire/krpc.h"

#include "tests/support/seeded_entropy.h"

namespace dotkey::dht {

namespace krpc = wire::krpc;
using test::SeededEntropy;

inline NodeId id_of(std::uint8_t first, std::uint8_t last = 0) {
  NodeId id;
  id.bytes[0] = first;
  id.bytes[19] = last;
  return id;
}

inline Endpoint public_endpoint(std::uint8_t a, std::uint8_t b, std::uint16_t port = 6881) {
  return {IpAddress::v4({8, 8, a, b}), port};
}

inline NodeInfo secure_node(std::uint8_t a, std::uint8_t b, SeededEntropy& entropy) {
  Endpoint const endpoint = public_endpoint(a, b);
  return {make_secure_id(endpoint.address, entropy), endpoint};
}

}  // namespace dotkey::dht
