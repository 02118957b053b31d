// SPDX-License-Identifier: Apache-2.0
// How often one client may ask, in bounded memory: a token bucket for each address.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "core/base/endpoint.h"
#include "core/relay/types.h"

namespace dotkey::relay {

// `count` requests in `period`, and at most `burst` of them at once; all at least 1.
struct Quota {
  std::uint32_t count = 2;
  Duration period = Duration::from_s(1);
  std::uint32_t burst = 10;
};

// pkarr's spelling: "2r/s"; s, m, h or d. The burst is the count. Nullopt for anything else.
std::optional<Quota> parse_quota(std::string_view text);

struct Allowance {
  bool allowed = true;
  std::uint32_t limit = 0;          // the burst
  std::uint32_t remaining = 0;      // what may follow at once
  std::uint32_t retry_after_s = 0;  // when refused; rounded up
};

// One bucket for an IPv4 address or an IPv6 /64. When clients_max are remembered, the ones whose
// buckets are full again are forgotten; if none is, newcomers share one bucket.
class ClientLimits {
 public:
  static constexpr std::size_t clients_max_default = 65'536;

  // `hash_key`: a secret, since strangers choose the addresses.
  ClientLimits(Quota const& quota, std::uint64_t hash_key,
               std::size_t clients_max = clients_max_default);
  // Addresses that share one bucket have the same.
  static base::IpAddress bucket_of(base::IpAddress const& address);
  // Takes one token, when there is one.
  Allowance take(Instant now, base::IpAddress const& client);

 private:
  Allowance take_from(Instant now, Instant& full_at) const;
  void forget_full(Instant now);

  Duration interval_;  // between two requests at the steady rate
  std::uint32_t burst_;
  std::size_t clients_max_;
  // When the bucket will be full, if nothing is taken before.
  std::unordered_map<base::IpAddress, Instant, base::HashEndpoint> full_at_;
  Instant shared_full_at_;
  Instant swept_at_;
};

}  // namespace dotkey::relay
