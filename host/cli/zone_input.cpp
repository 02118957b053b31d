// SPDX-License-Identifier: Apache-2.0
#include "host/cli/zone_input.h"

#include <algorithm>

#include "core/record/signed_packet.h"
#include "core/wire/zone_text.h"

#include "host/store/atomic_file.h"

namespace dotkey::host::cli {

base::Result<base::Bytes> read_file_or_stdin(std::string const& path, std::size_t size_max) {
  return store::read_file(path == "-" ? "/dev/stdin" : path, size_max);
}

base::Result<std::vector<wire::dns::ResourceRecord>> read_records(
    crypto::PublicKey const& key, std::string const& zone_file,
    std::vector<std::string> const& record_texts) {
  wire::dns::Name const origin = record::origin_of(key);
  std::vector<wire::dns::ResourceRecord> out;
  if (!zone_file.empty()) {
    auto const text = read_file_or_stdin(zone_file, wire::dns::zone_text_size_max);
    if (!text) return tl::make_unexpected(text.error());
    auto records = wire::dns::parse_zone_text(base::text_of(*text), origin);
    if (!records) {
      records.error().detail = zone_file + ": " + records.error().detail;
      return records;
    }
    out = std::move(*records);
  }
  for (std::string const& text : record_texts) {
    auto record = wire::dns::parse_record_text(text, origin);
    if (!record) {
      record.error().detail = "--record \"" + text + "\": " + record.error().detail;
      return tl::make_unexpected(record.error());
    }
    out.push_back(std::move(*record));
  }
  return out;
}

}  // namespace dotkey::host::cli
