// SPDX-License-Identifier: Apache-2.0
// What the operator says about names: zones of his own, and names that are not to be found.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/bridge/zone.h"

namespace dotkey::bridge {

class LocalNames {
 public:
  // A later zone of the same name takes the place of an earlier one. Records outside of `apex` are
  // ignored.
  void add_zone(wire::dns::Name const& apex, std::vector<wire::dns::ResourceRecord> records);
  // The name and all below it do not exist.
  void deny(wire::dns::Name const& name);
  // But the name and all below it do. The longest name that says something holds.
  void allow(wire::dns::Name const& name);

  // The most specific zone around the name, or nullptr.
  [[nodiscard]] Zone const* zone_of(wire::dns::Name const& name) const;
  [[nodiscard]] bool is_denied(wire::dns::Name const& name) const;

 private:
  struct StaticZone {
    std::vector<wire::dns::ResourceRecord> records;
    Zone zone;
    StaticZone(wire::dns::Name const& apex, std::vector<wire::dns::ResourceRecord> all)
        : records(std::move(all)), zone(apex, records, ApexServers::are_us) {}
  };
  std::unordered_map<wire::dns::Name, std::unique_ptr<StaticZone>, wire::dns::HashName> zones_;
  std::unordered_map<wire::dns::Name, bool, wire::dns::HashName> denied_;
};

}  // namespace dotkey::bridge
