// SPDX-License-Identifier: Apache-2.0
// One question on its way: from key to key along CNAMEs, to the name servers that a packet names,
// out to ICANN names and back, until there is an answer.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/base/endpoint.h"
#include "core/bridge/answer.h"
#include "core/bridge/key_name.h"
#include "core/bridge/local_names.h"
#include "core/bridge/records.h"
#include "core/bridge/zone.h"
#include "core/resolve/address_policy.h"
#include "core/resolve/types.h"
#include "core/wire/dns_message.h"

namespace dotkey::bridge {

struct ChaseRules {
  // A record's TTL is kept within these; the same as the packet cache's, so that both end together.
  std::uint32_t ttl_min_s = 60;
  std::uint32_t ttl_max_s = 86'400;
  // How long "there is no such record" may be believed.
  std::uint32_t negative_ttl_s = 60;
  // How long a failure is (RFC 9520 §3.2).
  std::uint32_t failure_ttl_s = 5;
  // Whether packets may lead to loopback and private addresses: all, or those of these keys when
  // they are asked for.
  resolve::LocalNetwork local_network = resolve::LocalNetwork::refused;
  std::set<crypto::PublicKey> local_keys;
  // May be absent.
  std::shared_ptr<LocalNames const> local;
  // Where the name servers that packets delegate to listen.
  std::uint16_t server_port = 53;
};

// What a chase needs next: a key's packet, an ICANN name's records, an answer from one of these
// name servers, or nothing more.
struct WantKey {
  crypto::PublicKey key;
};
struct WantUpstream {
  wire::dns::Name name;
  wire::dns::RecordType type;
};
struct WantServers {
  std::vector<base::Endpoint> servers;
  wire::dns::Name name;
  wire::dns::RecordType type;
};
struct Done {};
using ChaseStep = std::variant<WantKey, WantUpstream, WantServers, Done>;

// The servers that a packet hands a part of its names to.
struct Delegation {
  wire::dns::Name cut;    // as in the packet
  wire::dns::Name inner;  // the name asked for, as in the packet
  std::vector<base::Endpoint> servers;
  std::vector<wire::dns::Name> targets;  // whose addresses are not known
  std::uint32_t lookups = 0;
  std::uint32_t referrals = 0;
};

class Chase {
 public:
  // `rules` outlive the chase. `asked` in lower case.
  Chase(ChaseRules const& rules, wire::dns::Name asked, wire::dns::RecordType type,
        Signatures signatures);

  // Each returns what is needed next; the input that answers it comes next. After Done none.
  ChaseStep start();
  ChaseStep on_outcome(Moment now, resolve::Outcome const& outcome);
  // For WantUpstream and WantServers; a message answers the question asked.
  ChaseStep on_message(base::Result<wire::dns::Message> const& message);
  ChaseStep on_timeout();

  // After Done, once.
  [[nodiscard]] Answer take_answer(Instant now);

 private:
  enum class Waiting : std::uint8_t { nothing, key, upstream, servers, server_key, server_address };

  ChaseStep visit();
  ChaseStep visit_elsewhere();
  ChaseStep deny();
  ChaseStep read_zone(Zone const& zone, ZoneAnswer const& found);
  ChaseStep read_packet(Moment now, resolve::Outcome const& outcome);
  ChaseStep follow(wire::dns::Name target);
  void add(wire::dns::ResourceRecord record, std::uint32_t ttl_s);
  ChaseStep end_found();
  ChaseStep end_negative(wire::dns::ResponseCode code, wire::dns::ResourceRecord soa);
  ChaseStep fail(ExtendedError error, std::string text);

  ChaseStep read_upstream(wire::dns::Message const& message);
  ChaseStep end_as_said(wire::dns::Message const& message);

  ChaseStep delegate(Zone const& zone, ZoneAnswer const& found);
  void add_servers_of(Zone const& zone, wire::dns::Name const& target);
  [[nodiscard]] bool may_look_up(wire::dns::Name const& server) const;
  ChaseStep ask_servers();
  ChaseStep read_server_packet(resolve::Outcome const& outcome);
  ChaseStep read_server_address(base::Result<wire::dns::Message> const& message);
  ChaseStep read_server_answer(base::Result<wire::dns::Message> const& message);
  ChaseStep refer(wire::dns::Message const& message);
  void add_server(wire::dns::ResourceRecord const& record);
  [[nodiscard]] wire::dns::Name presented(wire::dns::Name const& inner) const;

  [[nodiscard]] resolve::LocalNetwork local_network() const;
  [[nodiscard]] std::uint32_t ttl_left_s(std::uint32_t ttl_s) const;
  void keep_for(std::uint32_t seconds);

  ChaseRules const& rules_;
  wire::dns::RecordType type_;
  Signatures signatures_;
  wire::dns::Name name_;  // where the chase stands, as the asker would write it
  KeyName place_;
  std::vector<wire::dns::Name> visited_;
  std::optional<crypto::PublicKey> asked_key_;
  Waiting waiting_ = Waiting::nothing;
  std::optional<Delegation> delegation_;

  wire::dns::Message reply_;
  ExtendedError extended_error_ = ExtendedError::none;
  std::string extended_text_;
  bool filtered_ = false;     // an address was taken out
  std::uint32_t lifetime_s_;  // of the answer
  // Of the packet that was read last.
  std::uint32_t age_s_ = 0;
  bool stale_ = false;
};

}  // namespace dotkey::bridge
