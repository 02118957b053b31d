// SPDX-License-Identifier: Apache-2.0
// A zone's records and what they say to a question (RFC 1034 §4.3.2, RFC 4592): a key's packet, or
// a zone file.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/wire/dns_record.h"

namespace dotkey::bridge {

enum class ZoneVerdict : std::uint8_t {
  records,     // of the type asked for
  alias,       // a CNAME in its place
  delegation,  // NS records, at or above the name
  no_data,     // the name is there, the type is not
  name_error,  // NXDOMAIN
};

struct ZoneAnswer {
  ZoneVerdict verdict = ZoneVerdict::name_error;
  std::vector<wire::dns::ResourceRecord const*> records;
};

// What NS records at the apex mean.
enum class ApexServers : std::uint8_t {
  // These servers have whatever the records here do not answer: a key's packet.
  delegate,
  // The servers of this very zone: a zone file.
  are_us,
};

class Zone {
 public:
  // Points into `records`, which outlive the zone. Records not below `apex` are ignored, and of
  // those that lack data only the name counts: what is found holds the struct of its type.
  Zone(wire::dns::Name apex, std::vector<wire::dns::ResourceRecord> const& records,
       ApexServers apex_servers);

  // `name` is at or below the apex. Records of the zone go before a delegation above them: they are
  // glue, and what a key says itself.
  [[nodiscard]] ZoneAnswer find(wire::dns::Name const& name, wire::dns::RecordType type) const;
  [[nodiscard]] wire::dns::Name const& apex() const { return apex_; }
  // The owner's own SOA record, where there is one.
  [[nodiscard]] wire::dns::ResourceRecord const* soa() const;

 private:
  using Records = std::vector<wire::dns::ResourceRecord const*>;

  [[nodiscard]] Records const* records_at(wire::dns::Name const& name) const;
  [[nodiscard]] Records servers_above(wire::dns::Name name) const;

  wire::dns::Name apex_;
  ApexServers apex_servers_;
  // Every name that exists, those between the apex and an owner too (RFC 4592 §2.2.2).
  std::map<wire::dns::Name, Records> names_;
};

}  // namespace dotkey::bridge
