// SPDX-License-Identifier: Apache-2.0
#include "core/relay/commons.h"

namespace dotkey::relay {

LocalCommons::LocalCommons(Quotas const& quotas, std::uint64_t hash_key, std::size_t clients_max) {
  if (quotas.requests) limits_.emplace(*quotas.requests, hash_key, clients_max);
  if (quotas.dht_requests) dht_limits_.emplace(*quotas.dht_requests, hash_key, clients_max);
}

std::optional<Allowance> LocalCommons::take(Instant now, base::IpAddress const& client) {
  if (!limits_) return std::nullopt;
  return limits_->take(now, client);
}

std::optional<Allowance> LocalCommons::take_dht(Instant now, base::IpAddress const& client) {
  if (!dht_limits_) return std::nullopt;
  return dht_limits_->take(now, client);
}

Commons::Puts& LocalCommons::lock_puts(PublicKey const& key) {
  return puts_[key];
}

void LocalCommons::unlock_puts(PublicKey const& key) {
  auto const row = puts_.find(key);
  if (row->second.empty()) puts_.erase(row);
}

}  // namespace dotkey::relay
