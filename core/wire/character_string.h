// SPDX-License-Identifier: Apache-2.0
// Small text forms that zone files and SVCB parameters share: character strings and addresses.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace dotkey::wire::dns {

// RFC 1035 §5.1 escapes undone: `\ddd` is a byte, `\x` is x. Nullopt for a broken escape.
std::optional<std::string> unescape(std::string_view text);
// The character or escape at `at`, which is moved behind it. Nullopt for a broken escape.
std::optional<char> read_escaped(std::string_view text, std::size_t& at);
// Appends `\ddd`.
void append_decimal_escape(std::string& out, char c);

// In quotes; quotes, backslashes and all but printable ASCII are escaped.
std::string encode_quoted(std::string_view text);

// 4 or 16 bytes. "::ffff:192.0.2.1" stays an IPv6 address here, other than in base::IpAddress.
std::optional<base::Bytes> parse_address_bytes(std::string_view text, bool ipv4);
std::string encode_address_bytes(base::ByteView bytes);

}  // namespace dotkey::wire::dns
