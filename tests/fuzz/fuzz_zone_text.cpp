// SPDX-License-Identifier: Apache-2.0
// Zone files: what parses, prints to something that parses to the same records, and those records
// are valid on the wire.
#include "core/base/assert.h"
#include "core/wire/dns_message.h"
#include "core/wire/zone_text.h"

namespace dotkey::wire::dns {
namespace {

void check(std::string_view input) {
  Name const origin = Name::parse("origin.example").value();
  auto const records = parse_zone_text(input, origin);
  if (!records) {
    DOTKEY_ASSERT(records.error().code == base::ErrorCode::zone_syntax);
    DOTKEY_ASSERT(records.error().detail.starts_with("line "));
    return;
  }
  std::string const text = encode_zone_text(*records, origin);
  if (text.size() > zone_text_size_max) return;
  auto const again = parse_zone_text(text, Name());
  DOTKEY_ASSERT(again && *again == *records);
  DOTKEY_ASSERT(encode_zone_text(*again, origin) == text);
  for (ResourceRecord const& record : *records) {
    base::Bytes const data = encode_record_data(record.data);
    auto const parsed = parse_record_data(record.type, data);
    DOTKEY_ASSERT(parsed && encode_record_data(*parsed) == data);
  }
}

}  // namespace
}  // namespace dotkey::wire::dns

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dotkey::wire::dns::check(dotkey::base::text_of({data, size}));
  return 0;
}
