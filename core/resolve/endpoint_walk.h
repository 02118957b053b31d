// SPDX-License-Identifier: Apache-2.0
// One pass over all packets known, depth first in the order of preference. EndpointSearch makes a
// new one whenever a packet has come.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/resolve/endpoints.h"
#include "core/wire/dns_svcb.h"

namespace dotkey::resolve {

class EndpointWalk {
 public:
  EndpointWalk(EndpointQuery const& query, std::uint64_t seed,
               std::map<PublicKey, Outcome> const& outcomes)
      : query_(query), seed_(seed), outcomes_(outcomes) {}

  void run();

  std::vector<Endpoint> endpoints;
  std::size_t settled = 0;
  std::vector<TraceStep> trace;
  std::vector<PublicKey> missing;

 private:
  // A name under a key, on the way that led there.
  struct Place {
    PublicKey key;
    wire::dns::Name name;
    std::uint16_t port = 0;
    std::uint32_t depth = 0;
    std::vector<std::string> alpn;
    std::vector<base::IpAddress> hints;
  };
  struct Services {
    std::vector<wire::dns::ResourceRecord const*> records;  // in the order to try
    bool aliases = false;
  };

  void visit(Place const& place);
  void visit_packet(Place const& place, SignedPacket const& packet);
  // False: the owner says that the service does not exist.
  bool visit_services(Place const& place, SignedPacket const& packet);
  void visit_service(Place const& place, SignedPacket const& packet,
                     wire::dns::ResourceRecord const& record);
  void visit_own_addresses(Place const& place, SignedPacket const& packet,
                           std::string const& record);
  bool visit_plain(Place const& place, SignedPacket const& packet);
  void visit_target(Place const& from, wire::dns::Name const& target, Place const& settings,
                    std::string const& record);
  void visit_icann_host(Place const& from, std::string const& host, Place const& settings,
                        std::string const& record);

  [[nodiscard]] Services services_at(Place const& place, SignedPacket const& packet);
  [[nodiscard]] wire::dns::Name service_name_of(Place const& place) const;
  [[nodiscard]] std::string reason_to_skip(wire::dns::Svcb const& record) const;
  [[nodiscard]] std::vector<std::string> alpn_of(wire::dns::Svcb const& record) const;
  std::vector<base::IpAddress> allowed(Place const& place,
                                       std::vector<base::IpAddress> const& addresses,
                                       std::string const& record);
  void add(Endpoint endpoint, Place const& place);
  void add_pins(Endpoint& endpoint) const;
  void note(Place const& place, std::string record, std::string text);

  EndpointQuery const& query_;
  std::uint64_t seed_;
  std::map<PublicKey, Outcome> const& outcomes_;
  std::vector<Place> path_;
  std::uint32_t visits_ = 0;
  bool blocked_ = false;  // something before here is still to come
};

// "HTTPS 1 svc.example. alpn=h2 port=8443", "A 192.0.2.1", "CNAME www.example.".
std::string text_of_record(wire::dns::ResourceRecord const& record);

}  // namespace dotkey::resolve
