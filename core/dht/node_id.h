// SPDX-License-Identifier: Apache-2.0
// The space of node ids: XOR distance, and ids bound to an address (BEP 42).
#pragma once

#include "core/dht/types.h"
#include "core/engine/entropy.h"

namespace dotkey::dht {

NodeId distance(NodeId const& a, NodeId const& b);

// Leading bits that both share: 160 when equal.
unsigned common_prefix_bits(NodeId const& a, NodeId const& b);

// The upper 64 bits of the distance as a fraction of the whole space, in [0, 1).
double distance_fraction(NodeId const& a, NodeId const& b);

// True when `a` is nearer to `target` than `b`.
bool is_closer(NodeId const& target, NodeId const& a, NodeId const& b);

// A random id whose first 21 bits and last byte belong to `address` (BEP 42). Addresses of local
// networks have no such rule; any random id will do for them.
NodeId make_secure_id(IpAddress const& address, engine::Entropy& entropy);

// True for an id that BEP 42 allows at `address`; local addresses are exempt.
bool is_secure_id(NodeId const& id, IpAddress const& address);

NodeId random_id(engine::Entropy& entropy);

// A random id that shares exactly `bits` leading bits with `id` (bits < 160).
NodeId random_id_at(NodeId const& id, unsigned bits, engine::Entropy& entropy);

}  // namespace dotkey::dht
