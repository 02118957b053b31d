// SPDX-License-Identifier: Apache-2.0
#include "host/cli/record_output.h"

#include <algorithm>

#include "core/record/signed_packet.h"
#include "core/wire/zone_rdata.h"

#include "host/cli/output.h"

namespace dotkey::host::cli {

std::vector<std::string> format_records(std::span<wire::dns::ResourceRecord const> records,
                                        crypto::PublicKey const& key) {
  auto const origin = record::origin_of(key);
  std::size_t name_width = 1;
  for (auto const& record : records) {
    name_width = std::max(name_width, record.name.to_string_relative(origin).size());
  }
  std::vector<std::string> out;
  for (auto const& record : records) {
    std::string name = record.name.to_string_relative(origin);
    name.resize(std::max(name_width, name.size()), ' ');
    std::string ttl = std::to_string(record.ttl_s);
    ttl.resize(std::max<std::size_t>(6, ttl.size()), ' ');
    std::string type = wire::dns::encode_record_type(record.type);
    type.resize(std::max<std::size_t>(6, type.size()), ' ');
    out.push_back(name + "  " + ttl + "  " + type + "  " +
                  wire::dns::encode_record_data_text(record.data));
  }
  return out;
}

void print_records(std::span<wire::dns::ResourceRecord const> records,
                   crypto::PublicKey const& key) {
  for (std::string const& line : format_records(records, key)) print_line(line);
}

}  // namespace dotkey::host::cli
