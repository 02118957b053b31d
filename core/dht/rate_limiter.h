// SPDX-License-Identifier: Apache-2.0
// Token buckets by source address, in bounded memory.
#pragma once

#include <unordered_map>

#include "core/dht/types.h"

namespace dotkey::dht {

// One bucket for an IPv4 address or an IPv6 /64. When sources_max are remembered, the ones whose
// buckets have refilled are forgotten; if none has, newcomers share one bucket.
class RateLimiter {
 public:
  static constexpr std::size_t sources_max = 8192;

  RateLimiter(std::uint32_t per_s, std::uint32_t burst, std::uint64_t hash_key);
  // Takes one token; false when the source has none left.
  bool allow(Instant now, IpAddress const& source);

 private:
  struct Bucket {
    double tokens = 0;
    Instant filled_at;
  };
  bool take(Instant now, Bucket& bucket) const;
  void forget_full(Instant now);

  double per_us_;
  double burst_;
  std::unordered_map<IpAddress, Bucket, base::HashEndpoint> buckets_;
  Bucket shared_;
  Instant swept_at_;
};

}  // namespace dotkey::dht
