// SPDX-License-Identifier: Apache-2.0
// Host name → where to connect: HTTPS and SVCB records (RFC 9460), addresses and aliases, from key
// to key and on to ICANN names.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/endpoint.h"
#include "core/engine/entropy.h"
#include "core/names/hostname.h"
#include "core/resolve/address_policy.h"
#include "core/resolve/types.h"
#include "core/wire/dns_record.h"

namespace dotkey::resolve {

// Packets crossed on one way (pkarr's limit).
inline constexpr std::uint32_t endpoint_depth_max = 7;
// Over all ways: names looked at, keys asked for, endpoints found, lines of trace.
inline constexpr std::uint32_t endpoint_visits_max = 64;
inline constexpr std::uint32_t endpoint_keys_max = 16;
inline constexpr std::uint32_t endpoints_max = 32;
inline constexpr std::uint32_t trace_steps_max = 256;

struct EndpointQuery {
  names::Hostname host;
  std::uint16_t port = 443;
  // "https" and "http" ask for HTTPS records at the host, or at `_port._https` beside port 443
  // (RFC 9460 §9.1); another scheme asks at `_scheme` (pkarr).
  std::string scheme = "https";
  // Application protocols that the driver speaks; empty: any will do.
  std::vector<std::string> alpn = {"h2", "http/1.1"};
  // The user's word for host.key.
  LocalNetwork local_network = LocalNetwork::refused;
};

struct Endpoint {
  // Where to connect, in this order. Empty with an icann_host: the driver looks that up, drops what
  // is_address_allowed() refuses, and falls back on `hints`.
  std::vector<base::IpAddress> addresses;
  std::string icann_host;
  std::vector<base::IpAddress> hints;
  std::uint16_t port = 0;
  // For SNI: the ICANN host, else the host asked for.
  std::string server_name;
  // In ALPN; empty where the record names none.
  std::vector<std::string> alpn;
  // The key whose packet led here.
  PublicKey key;
  // Every key whose packet was used on the way, the one asked for first.
  std::vector<PublicKey> path;
  // The pins: all TLSA records at `tlsa_name` in the packet of `tlsa_key`. Where the end of the way
  // has none, the nearest name before it that has some (RFC 7671 §7).
  PublicKey tlsa_key;
  wire::dns::Name tlsa_name;
  std::vector<wire::dns::Tlsa> tlsa;
};

// One line of what was looked at, for a person.
struct TraceStep {
  std::uint32_t depth = 0;  // packets crossed before
  PublicKey key;
  std::string name;    // relative to the key: "@", "www"
  std::string record;  // "HTTPS 1 . port=8443"; empty: about the packet
  std::string note;    // what came of it, or why not
};

// Asks for packets key after key, all that it can at a time. Deterministic for a seed; bounded for
// any packets. Not an engine of its own: the driver asks the resolver for wanted_keys().
class EndpointSearch {
 public:
  // `entropy` shuffles records of equal priority.
  EndpointSearch(EndpointQuery query, engine::Entropy& entropy);

  // Keys to resolve now, each given once.
  std::vector<PublicKey> take_wanted_keys();
  void on_outcome(PublicKey const& key, Outcome outcome);

  // True when no packet is being waited for.
  [[nodiscard]] bool is_done() const { return waiting_.empty() && wanted_.empty(); }
  // All that is known, best first.
  [[nodiscard]] std::vector<Endpoint> const& endpoints() const { return endpoints_; }
  // So many of them keep their place whatever else arrives: one may connect already.
  [[nodiscard]] std::size_t settled() const { return settled_; }
  [[nodiscard]] std::vector<TraceStep> const& trace() const { return trace_; }
  // Why there is no endpoint: the outcome for the key asked for, where that was not found;
  // endpoints_none otherwise. Nullopt with endpoints.
  [[nodiscard]] std::optional<base::Error> error() const;
  [[nodiscard]] EndpointQuery const& query() const { return query_; }
  // nullptr before it came, and when there is none.
  [[nodiscard]] SignedPacket const* packet_of(PublicKey const& key) const;
  // nullptr before it came.
  [[nodiscard]] Outcome const* outcome_of(PublicKey const& key) const;

 private:
  void walk();

  EndpointQuery query_;
  std::uint64_t seed_;
  std::map<PublicKey, Outcome> outcomes_;
  std::set<PublicKey> waiting_;
  std::vector<PublicKey> wanted_;
  std::vector<Endpoint> endpoints_;
  std::size_t settled_ = 0;
  std::vector<TraceStep> trace_;
};

// `_<port>._tcp.<name>` (RFC 6698 §3). Errors: dns_name_invalid.
base::Result<wire::dns::Name> tlsa_name_of(wire::dns::Name const& name, std::uint16_t port);
std::vector<wire::dns::Tlsa> tlsa_records_at(SignedPacket const& packet,
                                             wire::dns::Name const& name);

}  // namespace dotkey::resolve
