// SPDX-License-Identifier: Apache-2.0
#include "core/dht/rate_limiter.h"

#include <algorithm>

namespace dotkey::dht {
namespace {

IpAddress source_of(IpAddress const& address) {
  if (address.is_v4()) return address;
  std::array<std::uint8_t, 16> network{};
  std::copy_n(address.bytes().begin(), 8, network.begin());
  return IpAddress::v6(network);
}

}  // namespace

RateLimiter::RateLimiter(std::uint32_t per_s, std::uint32_t burst, std::uint64_t hash_key)
    : per_us_(per_s * 1e-6), burst_(burst), buckets_(0, base::HashEndpoint{hash_key}) {
  shared_.tokens = burst_;
}

bool RateLimiter::take(Instant now, Bucket& bucket) const {
  double const refill = static_cast<double>((now - bucket.filled_at).us) * per_us_;
  bucket.tokens = std::min(burst_, bucket.tokens + refill);
  bucket.filled_at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void RateLimiter::forget_full(Instant now) {
  if (now - swept_at_ < Duration::from_s(1)) return;
  swept_at_ = now;
  std::erase_if(buckets_, [&](auto const& entry) {
    double const refill = static_cast<double>((now - entry.second.filled_at).us) * per_us_;
    return entry.second.tokens + refill >= burst_;
  });
}

bool RateLimiter::allow(Instant now, IpAddress const& source) {
  IpAddress const key = source_of(source);
  auto const found = buckets_.find(key);
  if (found != buckets_.end()) return take(now, found->second);
  if (buckets_.size() >= sources_max) forget_full(now);
  if (buckets_.size() >= sources_max) return take(now, shared_);
  return take(now, buckets_.emplace(key, Bucket{burst_, now}).first->second);
}

}  // namespace dotkey::dht
