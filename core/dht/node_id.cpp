// SPDX-License-Identifier: Apache-2.0
#include "core/dht/node_id.h"

#include <bit>

#include "core/base/assert.h"
#include "core/base/integers.h"

namespace dotkey::dht {
namespace {

constexpr std::array<std::uint32_t, 256> make_crc32c_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    table[i] = crc;
  }
  return table;
}

// CRC-32C (Castagnoli), reflected, as BEP 42 asks.
std::uint32_t crc32c(ByteView bytes) {
  static constexpr auto table = make_crc32c_table();
  std::uint32_t crc = 0xffffffff;
  for (std::uint8_t const byte : bytes) crc = crc >> 8 ^ table[(crc ^ byte) & 0xff];
  return ~crc;
}

// The 21 leading bits that BEP 42 wants at `address` for the random byte `r`.
std::uint32_t secure_prefix(IpAddress const& address, std::uint8_t r) {
  constexpr std::uint8_t mask_v4[] = {0x03, 0x0f, 0x3f, 0xff};
  constexpr std::uint8_t mask_v6[] = {0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff};
  ByteView const mask = address.is_v4() ? ByteView(mask_v4) : ByteView(mask_v6);
  std::array<std::uint8_t, 8> masked{};
  for (std::size_t i = 0; i < mask.size(); ++i) {
    masked[i] = static_cast<std::uint8_t>(address.bytes()[i] & mask[i]);
  }
  masked[0] = static_cast<std::uint8_t>(masked[0] | (r & 7) << 5);
  return crc32c({masked.data(), mask.size()}) >> 11;
}

std::uint32_t leading_21_bits(NodeId const& id) {
  return base::read_be<std::uint32_t>(id.bytes) >> 11;
}

}  // namespace

NodeId distance(NodeId const& a, NodeId const& b) {
  NodeId out;
  for (std::size_t i = 0; i < NodeId::size; ++i) {
    out.bytes[i] = static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
  }
  return out;
}

unsigned common_prefix_bits(NodeId const& a, NodeId const& b) {
  for (std::size_t i = 0; i < NodeId::size; ++i) {
    auto const different = static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
    if (different != 0)
      return static_cast<unsigned>(i) * 8 + static_cast<unsigned>(std::countl_zero(different));
  }
  return NodeId::size * 8;
}

double distance_fraction(NodeId const& a, NodeId const& b) {
  NodeId const d = distance(a, b);
  return static_cast<double>(base::read_be<std::uint64_t>(d.bytes)) * 0x1.0p-64;
}

bool is_closer(NodeId const& target, NodeId const& a, NodeId const& b) {
  for (std::size_t i = 0; i < NodeId::size; ++i) {
    unsigned const da = target.bytes[i] ^ unsigned { a.bytes[i] };
    unsigned const db = target.bytes[i] ^ unsigned { b.bytes[i] };
    if (da != db) return da < db;
  }
  return false;
}

NodeId random_id(engine::Entropy& entropy) {
  return entropy.next_bytes<NodeId>();
}

NodeId make_secure_id(IpAddress const& address, engine::Entropy& entropy) {
  NodeId id = random_id(entropy);
  if (address.is_local_network()) return id;
  std::uint32_t const prefix = secure_prefix(address, id.bytes[19]);
  std::uint32_t const head = base::read_be<std::uint32_t>(id.bytes);
  base::write_be(id.bytes.data(), prefix << 11 | (head & 0x7ff));
  return id;
}

bool is_secure_id(NodeId const& id, IpAddress const& address) {
  if (address.is_local_network()) return true;
  return leading_21_bits(id) == secure_prefix(address, id.bytes[19]);
}

NodeId random_id_at(NodeId const& id, unsigned bits, engine::Entropy& entropy) {
  DOTKEY_ASSERT(bits < NodeId::size * 8);
  NodeId out = random_id(entropy);
  std::size_t const whole = bits / 8;
  std::copy_n(id.bytes.begin(), whole, out.bytes.begin());
  unsigned const rest = bits % 8;
  auto const keep = static_cast<std::uint8_t>(0xff00U >> rest);
  auto const flip = static_cast<std::uint8_t>(0x80U >> rest);
  auto const random = static_cast<std::uint8_t>(out.bytes[whole] & ~(keep | flip));
  out.bytes[whole] =
      static_cast<std::uint8_t>((id.bytes[whole] & keep) | (~id.bytes[whole] & flip) | random);
  return out;
}

}  // namespace dotkey::dht
