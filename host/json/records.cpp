// SPDX-License-Identifier: Apache-2.0
#include "host/json/records.h"

#include <string>

#include <boost/json/object.hpp>

#include "core/wire/zone_rdata.h"

namespace dotkey::host::json {

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

}  // namespace dotkey::host::json
