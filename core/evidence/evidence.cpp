// SPDX-License-Identifier: Apache-2.0
#include "core/evidence/evidence.h"

#include <algorithm>
#include <utility>

namespace dotkey::evidence {
namespace {

using base::ErrorCode;
using record::SignedPacket;
using resolve::Endpoint;
using resolve::EndpointSearch;

// Only the order of equal priorities hangs on it, and every endpoint is looked at here.
class FixedEntropy final : public engine::Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override { std::fill(out.begin(), out.end(), 0); }
};

SignedPacket const* packet_of(std::vector<SignedPacket> const& packets,
                              crypto::PublicKey const& key) {
  SignedPacket const* best = nullptr;
  for (SignedPacket const& packet : packets) {
    if (packet.key() == key && (best == nullptr || packet.is_more_recent_than(*best))) {
      best = &packet;
    }
  }
  return best;
}

std::vector<Endpoint> endpoints_of(names::Hostname const& host, std::uint16_t port,
                                   std::vector<SignedPacket> const& packets) {
  resolve::EndpointQuery query;
  query.host = host;
  query.port = port;
  // Which addresses the user's network allows is the connection's to refuse; here it is only asked
  // whether the key publishes this way.
  query.local_network = resolve::LocalNetwork::allowed;
  FixedEntropy entropy;
  EndpointSearch search(std::move(query), entropy);
  for (auto keys = search.take_wanted_keys(); !keys.empty(); keys = search.take_wanted_keys()) {
    for (crypto::PublicKey const& key : keys) {
      resolve::Outcome outcome;
      outcome.verdict = resolve::Verdict::not_found;
      outcome.error = base::Error(ErrorCode::resolve_not_found);
      if (SignedPacket const* const packet = packet_of(packets, key)) {
        outcome = {};
        outcome.verdict = resolve::Verdict::found;
        outcome.packet = *packet;
      }
      search.on_outcome(key, std::move(outcome));
    }
  }
  return search.endpoints();
}

pin::Decision decide_about(Endpoint const& endpoint, names::Hostname const& host,
                           std::span<base::Bytes const> chain, std::int64_t now_s) {
  std::vector<std::string> hosts = {host.to_string()};
  if (endpoint.server_name != hosts.front()) hosts.push_back(endpoint.server_name);
  crypto::PublicKey const keys[] = {host.key, endpoint.key};
  pin::Question question;
  question.hosts = hosts;
  question.endpoint_keys = keys;
  question.records = endpoint.tlsa;
  question.chain = chain;
  question.now_s = now_s;
  return pin::decide(question);
}

}  // namespace

base::Result<Finding> examine(Evidence const& evidence) {
  auto const host = names::parse_hostname(evidence.host);
  if (!host) return base::Failure(host.error());
  if (evidence.packets.size() > packets_max || evidence.chain.size() > pin::chain_size_max) {
    return base::fail(ErrorCode::evidence_oversized);
  }

  Finding finding;
  finding.host = *host;
  for (base::ByteView const bytes : evidence.packets) {
    auto packet = SignedPacket::parse(bytes);
    if (!packet) return base::Failure(packet.error());
    finding.packets.push_back(std::move(*packet));
  }
  if (packet_of(finding.packets, host->key) == nullptr) {
    return base::fail(ErrorCode::evidence_packet_missing);
  }

  std::vector<base::Bytes> chain;
  chain.reserve(evidence.chain.size());
  for (base::ByteView const der : evidence.chain) chain.push_back(base::to_bytes(der));
  std::optional<Finding> denied;
  for (Endpoint& endpoint : endpoints_of(*host, evidence.port, finding.packets)) {
    if (endpoint.server_name != evidence.route_host || endpoint.port != evidence.route_port) {
      continue;
    }
    finding.decision = decide_about(endpoint, *host, chain, evidence.now_s);
    finding.endpoint = std::move(endpoint);
    if (pin::is_allowed(finding.decision.verdict)) return finding;
    if (!denied) denied = finding;
  }
  if (!denied) return base::fail(ErrorCode::evidence_route_unpublished);
  return std::move(*denied);
}

}  // namespace dotkey::evidence
