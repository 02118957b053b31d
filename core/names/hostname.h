// SPDX-License-Identifier: Apache-2.0
// Host names under a public key, and the one place that answers "is this ours?".
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace dotkey::names {

inline constexpr std::string_view tld = "key";
inline constexpr std::size_t label_size_max = 63;      // RFC 1035 §2.3.4
inline constexpr std::size_t hostname_size_max = 253;  // 255 bytes on the wire

struct Hostname {
  crypto::PublicKey key;
  std::string subdomain;  // lower case, no dot at either end; empty for the key itself

  // Canonical: "[subdomain.]<key>.key".
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(Hostname const&, Hostname const&) = default;
};

// "[sub.labels.]<key>.key[.]" in any case. Labels hold letters, digits, '-' and '_'; names in other
// scripts come as A-labels (RFC 5890). Errors: hostname_malformed, key_malformed, key_not_on_curve.
base::Result<Hostname> parse_hostname(std::string_view host);

// The same without the TLD, "[sub.labels.]<key>[.]": what older pkarr software links to. A single
// label is what the browser redirects to its `.key` form. Errors: as above.
base::Result<Hostname> parse_bare_hostname(std::string_view host);

enum class Ownership : std::uint8_t {
  ours,            // parse_hostname() reads it
  malformed_ours,  // ends in `.key` without naming a key: refused, and never sent to DNS
  not_ours,
};

Ownership classify(std::string_view host);

}  // namespace dotkey::names
