// SPDX-License-Identifier: Apache-2.0
#include "core/resolve/lookup.h"

#include <algorithm>
#include <string>

namespace dotkey::resolve {

using base::ErrorCode;

SourceEnd end_of(dht::Outcome const& outcome) {
  SourceEnd out;
  out.confirmed = outcome.tally.no_more_recent > 0 && !outcome.item;
  out.not_found = outcome.error == ErrorCode::dht_not_found && !out.confirmed;
  if (outcome.error && outcome.error != ErrorCode::dht_not_found) out.error = outcome.error;
  return out;
}

SourceEnd end_of(relay::Outcome const& outcome) {
  SourceEnd out;
  out.confirmed = outcome.count(relay::RelayVerdict::not_newer) > 0 && !outcome.packet;
  out.not_found = outcome.error == ErrorCode::relay_not_found;
  if (outcome.error && outcome.error != ErrorCode::relay_not_found) out.error = outcome.error;
  return out;
}

bool Lookup::add(Finding finding) {
  Part& from = part(finding.source);
  if (from.best && !finding.packet.is_more_recent_than(from.best->packet)) return false;
  from.best = std::move(finding);
  return true;
}

void Lookup::add_invalid(Source source, std::int64_t timestamp_us) {
  Part& from = part(source);
  from.invalid_timestamp = std::max(from.invalid_timestamp, timestamp_us);
}

void Lookup::end(Source source, SourceEnd const& end) {
  part(source).state = State::ended;
  part(source).end = end;
}

bool Lookup::has_ended(Sources sources) const {
  return std::none_of(std::begin(network_sources), std::end(network_sources),
                      [&](Source s) { return sources.has(s) && is_running(s); });
}

Finding const* Lookup::newest(Sources sources) const {
  Finding const* out = nullptr;
  for (Source const source : network_sources) {
    auto const& best = part(source).best;
    if (!sources.has(source) || !best) continue;
    if (out == nullptr || best->packet.is_more_recent_than(out->packet)) out = &*best;
  }
  return out;
}

std::int64_t Lookup::invalid_timestamp(Sources sources) const {
  std::int64_t out = -1;
  for (Source const source : network_sources) {
    if (sources.has(source)) out = std::max(out, part(source).invalid_timestamp);
  }
  return out;
}

bool Lookup::is_confirmed(Sources sources) const {
  return std::any_of(std::begin(network_sources), std::end(network_sources),
                     [&](Source s) { return sources.has(s) && part(s).end.confirmed; });
}

bool Lookup::is_not_found(Sources sources) const {
  return std::any_of(std::begin(network_sources), std::end(network_sources),
                     [&](Source s) { return sources.has(s) && part(s).end.not_found; });
}

base::Error Lookup::error(Sources sources) const {
  std::optional<ErrorCode> single;
  std::string detail;
  std::uint32_t failed = 0;
  for (Source const source : network_sources) {
    if (!sources.has(source) || !part(source).end.error) continue;
    single = part(source).end.error;
    ++failed;
    if (!detail.empty()) detail += ", ";
    detail += base::slug_of(*single);
  }
  if (failed == 1) return base::Error(*single);
  return {ErrorCode::resolve_network_failed, detail};
}

}  // namespace dotkey::resolve
