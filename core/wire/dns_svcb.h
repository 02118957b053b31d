// SPDX-License-Identifier: Apache-2.0
// SVCB and HTTPS record data (RFC 9460). Parameter values stay in wire form, so that what is parsed
// encodes to the same bytes; the accessors read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/endpoint.h"
#include "core/base/result.h"
#include "core/wire/dns_name.h"

namespace dotkey::wire::dns {

// RFC 9460 §14.3.2.
namespace svc_key {
inline constexpr std::uint16_t mandatory = 0;
inline constexpr std::uint16_t alpn = 1;
inline constexpr std::uint16_t no_default_alpn = 2;
inline constexpr std::uint16_t port = 3;
inline constexpr std::uint16_t ipv4hint = 4;
inline constexpr std::uint16_t ech = 5;
inline constexpr std::uint16_t ipv6hint = 6;
}  // namespace svc_key

struct SvcParam {
  std::uint16_t key = 0;
  base::Bytes value;
  friend bool operator==(SvcParam const&, SvcParam const&) = default;
};

// Priority 0 is AliasMode.
struct Svcb {
  std::uint16_t priority = 0;
  Name target;
  std::vector<SvcParam> params;  // keys strictly ascending

  // Keeps the order; replaces a parameter of the same key.
  void set(std::uint16_t key, base::Bytes value);
  void set_alpn(std::vector<std::string_view> const& protocols);  // each 1 to 255 bytes
  void set_port(std::uint16_t port);

  [[nodiscard]] SvcParam const* find(std::uint16_t key) const;
  // Empty or nullopt where the parameter is absent or malformed.
  [[nodiscard]] std::vector<std::uint16_t> mandatory() const;
  [[nodiscard]] std::vector<std::string_view> alpn() const;
  [[nodiscard]] std::optional<std::uint16_t> port() const;
  [[nodiscard]] std::vector<base::IpAddress> ipv4hints() const;
  [[nodiscard]] std::vector<base::IpAddress> ipv6hints() const;

  // True when every value has the form that RFC 9460 §7 and §8 ask for. A client must not use a
  // record set with a malformed member (§2.2).
  [[nodiscard]] bool is_well_formed() const;

  friend bool operator==(Svcb const&, Svcb const&) = default;
};

// "alpn", "key667".
std::string encode_svc_key(std::uint16_t key);
std::optional<std::uint16_t> parse_svc_key(std::string_view text);

// `key` or `key=value`; quotes around the value and the escapes of character strings are undone
// already. Errors: zone_syntax with what is wrong.
base::Result<SvcParam> parse_svc_param(std::string_view key,
                                       std::optional<std::string> const& value);
// `key` or `key="value"` with escapes, for a well-formed parameter.
std::string encode_svc_param(SvcParam const& param);

}  // namespace dotkey::wire::dns
