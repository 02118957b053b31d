// SPDX-License-Identifier: Apache-2.0
#include "host/cli/record_output.h"

#include <algorithm>

#include <boost/json/object.hpp>

#include "core/record/signed_packet.h"
#include "core/wire/zone_rdata.h"

#include "host/cli/output.h"

namespace dotkey::host::cli {

boost::json::array describe_records(std::span<wire::dns::ResourceRecord const> records) {
  boost::json::array out;
  for (wire::dns::ResourceRecord const& record : records) {
    std::string name = record.name.to_string();
    if (name.size() > 1) name.pop_back();
    out.push_back({{"name", name},
                   {"ttl", record.ttl_s},
                   {"type", wire::dns::encode_record_type(record.type)},
                   {"data", wire::dns::encode_record_data_text(record.data)}});
  }
  return out;
}

void print_records(std::span<wire::dns::ResourceRecord const> records,
                   crypto::PublicKey const& key) {
  auto const origin = record::origin_of(key);
  std::size_t name_width = 1;
  for (auto const& record : records) {
    name_width = std::max(name_width, record.name.to_string_relative(origin).size());
  }
  for (auto const& record : records) {
    std::string name = record.name.to_string_relative(origin);
    name.resize(std::max(name_width, name.size()), ' ');
    std::string ttl = std::to_string(record.ttl_s);
    ttl.resize(std::max<std::size_t>(6, ttl.size()), ' ');
    std::string type = wire::dns::encode_record_type(record.type);
    type.resize(std::max<std::size_t>(6, type.size()), ' ');
    print_line(name + "  " + ttl + "  " + type + "  " +
               wire::dns::encode_record_data_text(record.data));
  }
}

}  // namespace dotkey::host::cli
