// SPDX-License-Identifier: Apache-2.0
// Text forms of bytes: hex, base64 (RFC 4648 §4 and §5) and z-base-32.
#pragma once

#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace dotkey::base {

// Lower-case hexadecimal.
std::string encode_hex(ByteView bytes);
// Accepts both cases, an even number of digits, nothing else. Errors: hex_malformed.
Result<Bytes> parse_hex(std::string_view text);

enum class Base64Alphabet : std::uint8_t { standard, url };

// `standard` pads with '='; `url` does not pad.
std::string encode_base64(ByteView bytes, Base64Alphabet alphabet);
// Padding is optional; non-zero spare bits and foreign characters are errors (base64_malformed).
Result<Bytes> parse_base64(std::string_view text, Base64Alphabet alphabet);

// z-base-32 (Zooko O'Whielacronx), most significant bits first, no padding.
std::string encode_zbase32(ByteView bytes);
// Lower case only. The spare bits of the last character are ignored: one byte string has several
// spellings, so never use the text itself as a key. Errors: key_malformed.
Result<Bytes> parse_zbase32(std::string_view text);

// ASCII only; other bytes pass through.
std::string to_lower_ascii(std::string_view text);

}  // namespace dotkey::base
