// SPDX-License-Identifier: Apache-2.0
#include "core/base/ip_prefix.h"

#include "core/base/integers.h"

namespace dotkey::base {
namespace {

std::uint8_t bits_of(IpAddress const& address) {
  return address.is_v4() ? 32 : 128;
}

}  // namespace

IpAddress masked(IpAddress const& address, std::uint8_t bits) {
  std::array<std::uint8_t, 16> bytes{};
  ByteView const from = address.bytes();
  for (std::size_t i = 0; i < from.size() && 8 * i < bits; ++i) {
    std::size_t const left = bits - 8 * i;
    unsigned const mask = left >= 8 ? 0xffU : 0xffU << (8 - left) & 0xffU;
    bytes[i] = static_cast<std::uint8_t>(from[i] & mask);
  }
  return *IpAddress::from_bytes(ByteView(bytes).first(from.size()));
}

IpPrefix::IpPrefix(IpAddress const& address, std::uint8_t bits)
    : address_(masked(address, bits)), bits_(std::min(bits, bits_of(address))) {}

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  std::size_t const slash = text.find('/');
  auto const address = IpAddress::parse(text.substr(0, slash));
  if (!address) return tl::make_unexpected(address.error());
  if (slash == std::string_view::npos) return IpPrefix(*address, bits_of(*address));
  auto const bits = parse_decimal<std::uint8_t>(text.substr(slash + 1));
  if (!bits || *bits > bits_of(*address) || !(masked(*address, *bits) == *address)) {
    return fail(ErrorCode::address_malformed, std::string(text));
  }
  return IpPrefix(*address, *bits);
}

bool IpPrefix::contains(IpAddress const& address) const {
  return address.family() == address_.family() && masked(address, bits_) == address_;
}

std::string IpPrefix::to_string() const {
  return address_.to_string() + '/' + std::to_string(bits_);
}

}  // namespace dotkey::base
