// SPDX-License-Identifier: Apache-2.0
// Hex, base64 and z-base-32: text that is accepted is the one spelling of its bytes (but for the
// case of hex, the padding of base64 and the spare bits of z-base-32), and any bytes survive.
#include "core/base/assert.h"
#include "core/base/integers.h"
#include "core/base/text.h"

namespace dotkey::base {
namespace {

void check_text(std::string_view text) {
  if (auto const bytes = parse_hex(text)) DOTKEY_ASSERT(encode_hex(*bytes) == to_lower_ascii(text));
  for (auto const alphabet : {Base64Alphabet::standard, Base64Alphabet::url}) {
    auto const bytes = parse_base64(text, alphabet);
    if (!bytes) continue;
    std::string const again = encode_base64(*bytes, alphabet);
    auto const unpadded = [](std::string_view s) { return s.substr(0, s.find('=')); };
    DOTKEY_ASSERT(unpadded(again) == unpadded(text));
  }
  if (auto const bytes = parse_zbase32(text)) {
    std::string const again = encode_zbase32(*bytes);
    DOTKEY_ASSERT(again.size() == text.size());
    DOTKEY_ASSERT(text.empty() ||
                  again.substr(0, text.size() - 1) == text.substr(0, text.size() - 1));
    DOTKEY_ASSERT(parse_zbase32(again).value() == *bytes);
  }
  if (auto const number = parse_decimal<std::int64_t>(text)) {
    DOTKEY_ASSERT(parse_decimal<std::int64_t>(std::to_string(*number)) == number);
  }
}

void check_bytes(ByteView bytes) {
  DOTKEY_ASSERT(equal(parse_hex(encode_hex(bytes)).value(), bytes));
  DOTKEY_ASSERT(equal(parse_zbase32(encode_zbase32(bytes)).value(), bytes));
  for (auto const alphabet : {Base64Alphabet::standard, Base64Alphabet::url}) {
    DOTKEY_ASSERT(equal(parse_base64(encode_base64(bytes, alphabet), alphabet).value(), bytes));
  }
}

}  // namespace
}  // namespace dotkey::base

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dotkey::base::check_text(dotkey::base::text_of({data, size}));
  dotkey::base::check_bytes({data, size});
  return 0;
}
