// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/rate_limit.h"

#include <algorithm>

namespace dotkey::bridge {
namespace {

std::size_t bucket_count(std::uint32_t networks_max, std::size_t ways) {
  std::size_t count = 1;
  while (count * ways < networks_max) count *= 2;
  return count;
}

}  // namespace

RateLimit::RateLimit(std::uint32_t per_s, std::uint32_t burst, std::uint32_t networks_max,
                     std::uint64_t secret)
    : interval_us_(per_s == 0 ? 0 : 1'000'000 / per_s),
      burst_us_(interval_us_ * std::max<std::int64_t>(burst, 1)),
      hash_{secret},
      buckets_(bucket_count(per_s == 0 ? 1 : networks_max, ways)) {}

// The generic cell rate algorithm: all that is kept is the time until which the network has paid.
bool RateLimit::take(engine::Instant now, base::IpAddress const& network) {
  if (interval_us_ == 0) return true;
  std::uint64_t const hash = hash_(network);
  auto& bucket = buckets_[hash & (buckets_.size() - 1)];
  auto at = std::find_if(bucket.begin(), bucket.end(),
                         [hash](Place const& place) { return place.network == hash; });
  if (at == bucket.end()) {
    at = std::min_element(bucket.begin(), bucket.end(), [](Place const& a, Place const& b) {
      return a.paid_until_us < b.paid_until_us;
    });
    *at = {hash, now.us};
  }
  std::int64_t const paid_us = std::max(at->paid_until_us, now.us) + interval_us_;
  if (paid_us - now.us > burst_us_) return false;
  at->paid_until_us = paid_us;
  return true;
}

}  // namespace dotkey::bridge
