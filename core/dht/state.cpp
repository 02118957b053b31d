// SPDX-License-Identifier: Apache-2.0
#include "core/dht/state.h"

#include "core/base/integers.h"

namespace dotkey::dht {
namespace {

// Layout: magic, both ids, a 16-bit count, then for each node its id, the address' length (4 or
// 16), the address and the port. Integers are big-endian.
constexpr std::string_view magic = "dotkey-dht-state-1\n";
constexpr std::size_t header_size = magic.size() + 2 * NodeId::size + 2;

}  // namespace

Bytes encode_state(SavedState const& state) {
  Bytes out = base::to_bytes(magic);
  base::append(out, state.id_v4.view());
  base::append(out, state.id_v6.view());
  std::size_t const count = std::min(state.nodes.size(), SavedState::nodes_max);
  base::append_be(out, static_cast<std::uint16_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    NodeInfo const& node = state.nodes[i];
    base::append(out, node.id.view());
    out.push_back(static_cast<std::uint8_t>(node.endpoint.address.bytes().size()));
    base::append(out, node.endpoint.address.bytes());
    base::append_be(out, node.endpoint.port);
  }
  return out;
}

std::optional<SavedState> parse_state(ByteView bytes) {
  if (bytes.size() < header_size || base::text_of(bytes.first(magic.size())) != magic) {
    return std::nullopt;
  }
  SavedState state;
  state.id_v4 = *NodeId::from(bytes.subspan(magic.size(), NodeId::size));
  state.id_v6 = *NodeId::from(bytes.subspan(magic.size() + NodeId::size, NodeId::size));
  std::size_t const count = base::read_be<std::uint16_t>(bytes, header_size - 2);
  if (count > SavedState::nodes_max) return std::nullopt;
  ByteView rest = bytes.subspan(header_size);
  for (std::size_t i = 0; i < count; ++i) {
    if (rest.size() < NodeId::size + 1) return std::nullopt;
    std::size_t const address_size = rest[NodeId::size];
    std::size_t const size = NodeId::size + 1 + address_size + 2;
    if (rest.size() < size) return std::nullopt;
    auto const address = IpAddress::from_bytes(rest.subspan(NodeId::size + 1, address_size));
    // An IPv4-mapped address would come back as IPv4, which we never wrote at this length.
    if (!address || address->bytes().size() != address_size) return std::nullopt;
    std::uint16_t const port = base::read_be<std::uint16_t>(rest, size - 2);
    if (port == 0) return std::nullopt;
    state.nodes.push_back({*NodeId::from(rest.first(NodeId::size)), {*address, port}});
    rest = rest.subspan(size);
  }
  if (!rest.empty()) return std::nullopt;
  return state;
}

}  // namespace dotkey::dht
