// SPDX-License-Identifier: Apache-2.0
// Record data in presentation form: RFC 1035 §5, 4255, 6698, 8659, 9460, and the generic form of
// RFC 3597 for everything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/wire/dns_name.h"
#include "core/wire/dns_record.h"
#include "core/wire/zone_lexer.h"

namespace dotkey::wire::dns {

// Reads the tokens behind a record's type; names without a final dot are relative to `origin`.
// Errors: zone_syntax with line and column.
base::Result<RecordData> parse_record_data_text(RecordType type, ZoneLexer const& lexer,
                                                Entry const& entry, std::size_t first,
                                                Name const& origin);

// The data as one line; names are absolute.
std::string encode_record_data_text(RecordData const& data);

// Seconds, or a sum of units: "3600", "1h30m", "1w". Nullopt above 32 bits.
std::optional<std::uint32_t> parse_ttl(std::string_view text);

}  // namespace dotkey::wire::dns
