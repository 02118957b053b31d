// SPDX-License-Identifier: Apache-2.0
// DNS messages: what parses, encodes to something that parses to the same, and so does every record
// in its text form.
#include "core/base/assert.h"
#include "core/wire/dns_message.h"
#include "core/wire/zone_text.h"

namespace dotkey::wire::dns {
namespace {

void check_text(std::vector<ResourceRecord> const& records) {
  for (ResourceRecord const& record : records) {
    std::string const text = encode_record_text(record, Name());
    auto const parsed = parse_record_text(text, Name());
    DOTKEY_ASSERT(parsed && *parsed == record);
    DOTKEY_ASSERT(base::equal(parsed->name.wire(), record.name.wire()));
    DOTKEY_ASSERT(encode_record_data(parsed->data) == encode_record_data(record.data));
  }
}

void check(base::ByteView input) {
  auto const message = parse_message(input, rules_for_sockets);
  auto const packet = parse_message(input, rules_for_signed_packets);
  // The rules for packets add trailing bytes and a lower count, and take away classes and Z.
  if (message && packet) DOTKEY_ASSERT(*message == *packet);
  auto const& parsed = message ? message : packet;
  if (!parsed) return;

  // Names that were compressed where we do not compress may need more room than there is.
  auto const encoded = encode_message(*parsed);
  if (encoded) {
    auto const again = parse_message(*encoded, rules_for_sockets);
    DOTKEY_ASSERT(again && *again == *parsed);
    DOTKEY_ASSERT(encode_message(*again).value() == *encoded);
  }
  if (auto const cut = encode_truncated(*parsed, udp_size_default)) {
    DOTKEY_ASSERT(cut->size() <= udp_size_default);
    auto const again = parse_message(*cut, rules_for_sockets);
    DOTKEY_ASSERT(again && again->answers.size() <= parsed->answers.size());
    DOTKEY_ASSERT(again->questions == parsed->questions && again->edns == parsed->edns);
  }
  check_text(parsed->answers);
  check_text(parsed->authorities);
  check_text(parsed->additionals);
}

}  // namespace
}  // namespace dotkey::wire::dns

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dotkey::wire::dns::check({data, size});
  return 0;
}
