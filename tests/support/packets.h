// SPDX-License-Identifier: Apache-2.0
// Signed packets from one line: records in words, keys by number.
#pragma once

#include <string_view>
#include <vector>

#include "core/crypto/ed25519.h"
#include "core/names/public_key.h"
#include "core/record/signed_packet.h"

namespace dotkey::test {

inline crypto::KeyPair key_pair(std::uint64_t number) {
  crypto::Seed seed;
  for (std::size_t i = 0; i < 8; ++i) {
    seed.writable()[i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return crypto::KeyPair(seed);
}

inline std::string key_text(std::uint64_t number) {
  return names::format_public_key(key_pair(number).public_key());
}

inline wire::dns::Name dns_name(std::string_view text) {
  return wire::dns::Name::parse(text).value();
}

inline wire::dns::ResourceRecord a_record(std::string_view name, std::string_view address,
                                          std::uint32_t ttl_s = 300) {
  namespace dns = wire::dns;
  auto const parsed = base::IpAddress::parse(address).value();
  if (parsed.is_v4()) {
    dns::A data;
    std::copy(parsed.bytes().begin(), parsed.bytes().end(), data.bytes.begin());
    return dns::ResourceRecord::make(dns_name(name), ttl_s, dns::RecordType::a, data);
  }
  dns::Aaaa data;
  std::copy(parsed.bytes().begin(), parsed.bytes().end(), data.bytes.begin());
  return dns::ResourceRecord::make(dns_name(name), ttl_s, dns::RecordType::aaaa, data);
}

inline wire::dns::ResourceRecord cname_record(std::string_view name, std::string_view target) {
  namespace dns = wire::dns;
  return dns::ResourceRecord::make(dns_name(name), 300, dns::RecordType::cname,
                                   dns::Cname{dns_name(target)});
}

inline wire::dns::ResourceRecord https_record(std::string_view name, wire::dns::Svcb data) {
  namespace dns = wire::dns;
  return dns::ResourceRecord::make(dns_name(name), 300, dns::RecordType::https, std::move(data));
}

inline record::SignedPacket packet_of(std::uint64_t number, std::int64_t timestamp_us,
                                      std::vector<wire::dns::ResourceRecord> const& records) {
  auto keys = key_pair(number);
  return record::SignedPacket::build(keys, timestamp_us, records).value();
}

}  // namespace dotkey::test
