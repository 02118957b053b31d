// SPDX-License-Identifier: Apache-2.0
// Signed packets: the input once as a whole packet, and once as signed content, since no fuzzer
// finds a signature.
#include "core/base/assert.h"
#include "core/record/signed_packet.h"
#include "core/wire/bencode.h"
#include "core/wire/krpc.h"

namespace dotkey::record {
namespace {

constexpr std::int64_t timestamp_us = 1'700'000'000'000'000;

void check_packet(SignedPacket const& packet) {
  DOTKEY_ASSERT(packet.size() <= SignedPacket::size_max);
  DOTKEY_ASSERT(SignedPacket::parse(packet.canonical()) == packet);
  DOTKEY_ASSERT(SignedPacket::parse_relay_payload(packet.key(), packet.relay_payload()) == packet);
  DOTKEY_ASSERT(packet.ttl_s(60, 3600) >= 60 && packet.ttl_s(60, 3600) <= 3600);
  DOTKEY_ASSERT(!packet.is_more_recent_than(packet));
  for (auto const& record : packet.records()) {
    // Names outside the key are kept but never found (they would need a longer name).
    if (!record.name.is_subdomain_of(origin_of(packet.key()))) continue;
    bool found = false;
    for (auto const* match : packet.find(record.name, record.type)) found |= match == &record;
    // A `*` as first label asks for every name in its place, so it finds itself too.
    DOTKEY_ASSERT(found);
  }
}

void check(base::ByteView input) {
  if (auto const packet = SignedPacket::parse(input)) check_packet(*packet);

  crypto::KeyPair signer{crypto::Seed{}};
  base::Bytes const value = wire::bencode::encode_string(input);
  auto const signature = signer.sign_now(wire::krpc::signable({}, timestamp_us, value));
  auto const packet = SignedPacket::parse_item(signer.public_key(), signature, timestamp_us, value);
  if (!packet) {
    DOTKEY_ASSERT(packet.error().code == base::ErrorCode::dns_malformed ||
                  packet.error().code == base::ErrorCode::record_too_large);
    return;
  }
  DOTKEY_ASSERT(packet->item_value() == value);
  check_packet(*packet);
  // Our own encoder makes a packet of the same records, with their names under the key.
  auto const rebuilt = SignedPacket::build(signer, timestamp_us, packet->records());
  if (!rebuilt) return;
  check_packet(*rebuilt);
  DOTKEY_ASSERT(rebuilt->records().size() == packet->records().size());
  auto const parsed = SignedPacket::parse(rebuilt->canonical());
  DOTKEY_ASSERT(parsed && parsed->records() == rebuilt->records());
}

}  // namespace
}  // namespace dotkey::record

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dotkey::record::check({data, size});
  return 0;
}
