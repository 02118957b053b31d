// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "core/resolve/endpoint_walk.h"
#include "core/resolve/endpoints.h"

namespace dotkey::resolve {

using base::ErrorCode;
using base::Result;
using wire::dns::Name;

EndpointSearch::EndpointSearch(EndpointQuery query, engine::Entropy& entropy)
    : query_(std::move(query)), seed_(entropy.next_u64()) {
  walk();
}

void EndpointSearch::walk() {
  EndpointWalk pass(query_, seed_, outcomes_);
  pass.run();
  endpoints_ = std::move(pass.endpoints);
  settled_ = pass.settled;
  trace_ = std::move(pass.trace);
  wanted_.clear();
  for (PublicKey const& key : pass.missing) {
    if (!waiting_.contains(key)) wanted_.push_back(key);
  }
}

std::vector<PublicKey> EndpointSearch::take_wanted_keys() {
  waiting_.insert(wanted_.begin(), wanted_.end());
  return std::exchange(wanted_, {});
}

void EndpointSearch::on_outcome(PublicKey const& key, Outcome outcome) {
  if (waiting_.erase(key) == 0) return;
  outcomes_.insert_or_assign(key, std::move(outcome));
  walk();
}

SignedPacket const* EndpointSearch::packet_of(PublicKey const& key) const {
  Outcome const* const outcome = outcome_of(key);
  return outcome != nullptr && outcome->packet ? &*outcome->packet : nullptr;
}

Outcome const* EndpointSearch::outcome_of(PublicKey const& key) const {
  auto const found = outcomes_.find(key);
  return found == outcomes_.end() ? nullptr : &found->second;
}

std::optional<base::Error> EndpointSearch::error() const {
  if (!endpoints_.empty()) return std::nullopt;
  auto const own = outcomes_.find(query_.host.key);
  if (own != outcomes_.end() && own->second.verdict != Verdict::found) return own->second.error;
  // The last line tells most: it is about the last thing tried.
  std::string detail = trace_.empty() ? "" : trace_.back().note;
  return base::Error(ErrorCode::resolve_no_endpoint, std::move(detail));
}

Result<Name> tlsa_name_of(Name const& name, std::uint16_t port) {
  std::string const first = "_" + std::to_string(port);
  std::string_view const labels[] = {first, "_tcp"};
  auto prefix = Name::from_labels(labels);
  if (!prefix) return prefix;
  return prefix->append(name);
}

std::vector<wire::dns::Tlsa> tlsa_records_at(SignedPacket const& packet, Name const& name) {
  std::vector<wire::dns::Tlsa> out;
  for (auto const* const record : packet.find(name, wire::dns::RecordType::tlsa)) {
    if (auto const* const data = std::get_if<wire::dns::Tlsa>(&record->data)) {
      out.push_back(*data);
    }
  }
  return out;
}

}  // namespace dotkey::resolve
