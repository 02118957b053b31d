// SPDX-License-Identifier: Apache-2.0
// What reading and writing KRPC share: sizes of the compact forms, names, targets.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/wire/krpc.h"

namespace dotkey::wire::krpc {

inline constexpr std::size_t endpoint_v4_size = 6;
inline constexpr std::size_t endpoint_v6_size = 18;
inline constexpr std::size_t node_v4_size = NodeId::size + endpoint_v4_size;
inline constexpr std::size_t node_v6_size = NodeId::size + endpoint_v6_size;

struct MethodName {
  Method method;
  std::string_view name;
};

inline constexpr MethodName method_names[] = {
    {Method::ping, "ping"},
    {Method::find_node, "find_node"},
    {Method::get_peers, "get_peers"},
    {Method::announce_peer, "announce_peer"},
    {Method::get, "get"},
    {Method::put, "put"},
};

// Where a put without a target belongs (BEP 44). The message has a value.
NodeId put_target(Message const& message);

}  // namespace dotkey::wire::krpc
