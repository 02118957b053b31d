// SPDX-License-Identifier: Apache-2.0
#include "host/cli/zone_input.h"

#include <algorithm>
#include <array>

#include "core/record/signed_packet.h"
#include "core/wire/zone_text.h"

#include "host/store/atomic_file.h"

namespace dotkey::host::cli {
namespace {

RecordTexts fill_in(RecordTexts const& texts, ExternalAddresses const& addresses) {
  RecordTexts out{texts.zone_file, fill_in(texts.zone, addresses), {}};
  for (std::string const& record : texts.records) out.records.push_back(fill_in(record, addresses));
  return out;
}

// From the ranges for documentation (RFC 5737, RFC 3849), where nothing is known.
ExternalAddresses with_samples(ExternalAddresses const& addresses, std::uint8_t number) {
  ExternalAddresses out = addresses;
  if (!out.v4) out.v4 = base::IpAddress::v4({192, 0, 2, number});
  if (!out.v6) {
    std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8};
    bytes.back() = number;
    out.v6 = base::IpAddress::v6(bytes);
  }
  return out;
}

}  // namespace

base::Result<base::Bytes> read_file_or_stdin(std::string const& path, std::size_t size_max) {
  return store::read_file(path == "-" ? "/dev/stdin" : path, size_max);
}

base::Result<RecordTexts> read_texts(std::string const& zone_file,
                                     std::vector<std::string> const& record_texts) {
  RecordTexts out{zone_file, {}, record_texts};
  if (zone_file.empty()) return out;
  auto const text = read_file_or_stdin(zone_file, wire::dns::zone_text_size_max);
  if (!text) return tl::make_unexpected(text.error());
  out.zone = base::text_of(*text);
  return out;
}

bool has_placeholder(RecordTexts const& texts) {
  return has_placeholder(texts.zone) ||
         std::any_of(texts.records.begin(), texts.records.end(),
                     [](std::string const& record) { return has_placeholder(record); });
}

base::Result<std::vector<wire::dns::ResourceRecord>> parse_records(crypto::PublicKey const& key,
                                                                   RecordTexts const& texts) {
  wire::dns::Name const origin = record::origin_of(key);
  std::vector<wire::dns::ResourceRecord> out;
  if (!texts.zone_file.empty()) {
    auto records = wire::dns::parse_zone_text(texts.zone, origin);
    if (!records) {
      records.error().detail = texts.zone_file + ": " + records.error().detail;
      return records;
    }
    out = std::move(*records);
  }
  for (std::string const& text : texts.records) {
    auto record = wire::dns::parse_record_text(text, origin);
    if (!record) {
      record.error().detail = "--record \"" + text + "\": " + record.error().detail;
      return tl::make_unexpected(record.error());
    }
    out.push_back(std::move(*record));
  }
  return out;
}

base::Result<std::vector<wire::dns::ResourceRecord>> records_at(ExternalAddresses const& addresses,
                                                                crypto::PublicKey const& key,
                                                                RecordTexts const& texts) {
  auto out = parse_records(key, fill_in(texts, with_samples(addresses, 1)));
  if (!out || (addresses.v4 && addresses.v6)) return out;
  // What a sample is part of differs with another one. Lines cannot be left out: what follows one
  // may lean on it for its name (RFC 1035 §5.1).
  auto const others = parse_records(key, fill_in(texts, with_samples(addresses, 2)));
  if (!others) return others;
  std::size_t at = 0;
  std::erase_if(*out, [&](auto const& record) { return !(record == others->at(at++)); });
  return out;
}

base::Result<std::vector<wire::dns::ResourceRecord>> read_records(
    crypto::PublicKey const& key, std::string const& zone_file,
    std::vector<std::string> const& record_texts) {
  auto const texts = read_texts(zone_file, record_texts);
  if (!texts) return tl::make_unexpected(texts.error());
  return parse_records(key, *texts);
}

}  // namespace dotkey::host::cli
