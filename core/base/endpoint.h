// SPDX-License-Identifier: Apache-2.0
// IP addresses and UDP/TCP endpoints, without any operating-system header.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace dotkey::base {

enum class IpFamily : std::uint8_t { v4, v6 };

// An IPv4 or IPv6 address. IPv4-mapped IPv6 (::ffff:a.b.c.d) is stored as IPv4, so that one host
// has one spelling.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::array<std::uint8_t, 4> bytes);
  static IpAddress v6(std::array<std::uint8_t, 16> bytes);
  // 4 or 16 bytes in network order; any other length: nullopt.
  static std::optional<IpAddress> from_bytes(ByteView bytes);
  // "192.0.2.1", "2001:db8::1". No zone index, no brackets. Errors: address_malformed.
  static Result<IpAddress> parse(std::string_view text);

  [[nodiscard]] IpFamily family() const { return family_; }
  [[nodiscard]] bool is_v4() const { return family_ == IpFamily::v4; }
  // 4 or 16 bytes in network order.
  [[nodiscard]] ByteView bytes() const { return {bytes_.data(), is_v4() ? 4U : 16U}; }
  // RFC 5952 for IPv6.
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_multicast() const;
  // Loopback, private (RFC 1918, RFC 4193), shared (RFC 6598), link-local: what a packet of a
  // stranger must not lead to unless the user allowed it.
  [[nodiscard]] bool is_local_network() const;
  // Neither local, multicast, unspecified, broadcast, documentation nor otherwise reserved.
  [[nodiscard]] bool is_global() const;

  friend bool operator==(IpAddress const&, IpAddress const&) = default;
  friend bool operator<(IpAddress const& a, IpAddress const& b) {
    if (a.family_ != b.family_) return a.family_ < b.family_;
    return a.bytes_ < b.bytes_;
  }

 private:
  std::array<std::uint8_t, 16> bytes_{};  // IPv4 uses the first four, the rest is zero
  IpFamily family_ = IpFamily::v4;
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  // "192.0.2.1:6881", "[2001:db8::1]:6881"; port 1..65535. Errors: address_malformed.
  static Result<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(Endpoint const&, Endpoint const&) = default;
  friend bool operator<(Endpoint const& a, Endpoint const& b) {
    if (!(a.address == b.address)) return a.address < b.address;
    return a.port < b.port;
  }
};

struct HashEndpoint {
  std::uint64_t key = 0;  // a per-process secret where peers choose the endpoints
  std::size_t operator()(IpAddress const& address) const;
  std::size_t operator()(Endpoint const& endpoint) const;
};

}  // namespace dotkey::base
