// SPDX-License-Identifier: Apache-2.0
// Zone files (RFC 1035 §5), both ways: $ORIGIN, $TTL, "@", omitted owners, quotes, parentheses,
// comments, and the generic forms of RFC 3597. $INCLUDE is refused: the core reads no files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/wire/dns_name.h"
#include "core/wire/dns_record.h"
#include "core/wire/zone_rdata.h"

namespace dotkey::wire::dns {

inline constexpr std::size_t zone_text_size_max = 1U << 20;
inline constexpr std::size_t zone_records_max = 10'000;
// Where neither the record, $TTL nor a record above says one.
inline constexpr std::uint32_t zone_ttl_default_s = 3600;

// `origin` holds until $ORIGIN. Errors: zone_syntax with "line L, column C: what is wrong".
base::Result<std::vector<ResourceRecord>> parse_zone_text(std::string_view text,
                                                          Name const& origin);

// One record, "www 300 A 192.0.2.1"; the owner must be there. Errors: zone_syntax.
base::Result<ResourceRecord> parse_record_text(std::string_view text, Name const& origin);

// A zone file that parses to the same records.
std::string encode_zone_text(std::span<ResourceRecord const> records, Name const& origin);
// One line without its end; the owner is relative to `origin`.
std::string encode_record_text(ResourceRecord const& record, Name const& origin);

}  // namespace dotkey::wire::dns
