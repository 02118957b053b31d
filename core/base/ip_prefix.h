// SPDX-License-Identifier: Apache-2.0
// Blocks of IP addresses (RFC 4632): "192.0.2.0/24", "2001:db8::/32".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/endpoint.h"
#include "core/base/result.h"

namespace dotkey::base {

class IpPrefix {
 public:
  // The first `bits` of `address`; all of it when it has fewer.
  IpPrefix(IpAddress const& address, std::uint8_t bits);

  // Without a length, a single address. Bits behind the length must be zero: "192.0.2.1/24" is
  // most likely a mistake. Errors: address_malformed.
  static Result<IpPrefix> parse(std::string_view text);

  [[nodiscard]] bool contains(IpAddress const& address) const;
  // The block's first address.
  [[nodiscard]] IpAddress const& address() const { return address_; }
  [[nodiscard]] std::uint8_t bits() const { return bits_; }
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(IpPrefix const&, IpPrefix const&) = default;

 private:
  IpAddress address_;
  std::uint8_t bits_;
};

// `address` with all bits behind the first `bits` zero.
IpAddress masked(IpAddress const& address, std::uint8_t bits);

}  // namespace dotkey::base
