// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/zone.h"

#include <algorithm>

namespace dotkey::bridge {

namespace dns = wire::dns;
using dns::Name;
using dns::RecordType;
using dns::ResourceRecord;

namespace {

std::vector<ResourceRecord const*> of_type(std::vector<ResourceRecord const*> const& records,
                                           RecordType type) {
  std::vector<ResourceRecord const*> out;
  std::copy_if(records.begin(), records.end(), std::back_inserter(out),
               [type](ResourceRecord const* record) { return record->type == type; });
  return out;
}

Name wildcard_of(Name const& encloser) {
  std::string_view const star[] = {"*"};
  return Name::from_labels(star).value().append(encloser).value_or(Name());
}

}  // namespace

Zone::Zone(Name apex, std::vector<ResourceRecord> const& records, ApexServers apex_servers)
    : apex_(std::move(apex)), apex_servers_(apex_servers) {
  names_[apex_];
  for (ResourceRecord const& record : records) {
    if (record.record_class != dns::RecordClass::in) continue;
    if (!record.name.is_subdomain_of(apex_)) continue;
    for (Name above = record.name.parent(); above.is_subdomain_of(apex_); above = above.parent()) {
      if (!names_.try_emplace(above).second) break;
      if (above.is_root()) break;
    }
    auto& records_here = names_[record.name];
    if (!dns::lacks_data(record)) records_here.push_back(&record);
  }
}

Zone::Records const* Zone::records_at(Name const& name) const {
  auto const at = names_.find(name);
  return at == names_.end() ? nullptr : &at->second;
}

Zone::Records Zone::servers_above(Name name) const {
  for (;;) {
    bool const is_apex = name == apex_;
    if (is_apex && apex_servers_ == ApexServers::are_us) return {};
    if (Records const* const records = records_at(name)) {
      if (auto servers = of_type(*records, RecordType::ns); !servers.empty()) return servers;
    }
    if (is_apex) return {};
    name = name.parent();
  }
}

ZoneAnswer Zone::find(Name const& name, RecordType type) const {
  Records const* records = records_at(name);
  bool const exists = records != nullptr;
  if (!exists) {
    Name encloser = name.parent();
    while (records_at(encloser) == nullptr) encloser = encloser.parent();
    records = records_at(wildcard_of(encloser));
  }
  if (records != nullptr) {
    if (auto found = of_type(*records, type); !found.empty()) {
      return {ZoneVerdict::records, std::move(found)};
    }
    auto alias = of_type(*records, RecordType::cname);
    if (!alias.empty()) return {ZoneVerdict::alias, {alias.front()}};
  }
  if (auto servers = servers_above(name); !servers.empty()) {
    return {ZoneVerdict::delegation, std::move(servers)};
  }
  return {records != nullptr ? ZoneVerdict::no_data : ZoneVerdict::name_error, {}};
}

ResourceRecord const* Zone::soa() const {
  Records const* const records = records_at(apex_);
  auto const found = of_type(*records, RecordType::soa);
  return found.empty() ? nullptr : found.front();
}

}  // namespace dotkey::bridge
