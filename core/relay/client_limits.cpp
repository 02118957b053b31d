// SPDX-License-Identifier: Apache-2.0
#include "core/relay/client_limits.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/integers.h"

namespace dotkey::relay {

using base::IpAddress;

std::optional<Quota> parse_quota(std::string_view text) {
  std::size_t const slash = text.find("r/");
  if (slash == text.npos || slash + 3 != text.size()) return std::nullopt;
  auto const count = base::parse_decimal<std::uint32_t>(text.substr(0, slash));
  if (!count || *count == 0 || *count > 1'000'000) return std::nullopt;
  Quota out;
  out.count = *count;
  out.burst = *count;
  switch (text.back()) {
    case 's':
      out.period = Duration::from_s(1);
      break;
    case 'm':
      out.period = Duration::from_s(60);
      break;
    case 'h':
      out.period = Duration::from_s(3600);
      break;
    case 'd':
      out.period = Duration::from_s(86'400);
      break;
    default:
      return std::nullopt;
  }
  return out;
}

// Whoever has an IPv6 address has its whole /64.
IpAddress ClientLimits::bucket_of(IpAddress const& address) {
  if (address.is_v4()) return address;
  std::array<std::uint8_t, 16> network{};
  std::copy_n(address.bytes().begin(), 8, network.begin());
  return IpAddress::v6(network);
}

ClientLimits::ClientLimits(Quota const& quota, std::uint64_t hash_key, std::size_t clients_max)
    : interval_(quota.period / quota.count),
      burst_(quota.burst),
      clients_max_(clients_max),
      full_at_(0, base::HashEndpoint{hash_key}) {
  DOTKEY_ASSERT(quota.burst > 0 && interval_.us > 0);
}

// The generic cell rate algorithm: every request moves the moment at which the bucket is full by
// one interval; it is refused when that would be more than a burst away.
Allowance ClientLimits::take_from(Instant now, Instant& full_at) const {
  Allowance out;
  out.limit = burst_;
  Instant const next = std::max(full_at, now) + interval_;
  Duration const ahead = next - now;
  Duration const ahead_max = interval_ * burst_;
  if (ahead > ahead_max) {
    out.allowed = false;
    out.retry_after_s = static_cast<std::uint32_t>(((ahead - ahead_max).us + 999'999) / 1'000'000);
    return out;
  }
  full_at = next;
  out.remaining = static_cast<std::uint32_t>((ahead_max - ahead).us / interval_.us);
  return out;
}

void ClientLimits::forget_full(Instant now) {
  if (now - swept_at_ < Duration::from_s(1)) return;
  swept_at_ = now;
  std::erase_if(full_at_, [&](auto const& entry) { return entry.second <= now; });
}

Allowance ClientLimits::take(Instant now, IpAddress const& client) {
  IpAddress const key = bucket_of(client);
  auto const found = full_at_.find(key);
  if (found != full_at_.end()) return take_from(now, found->second);
  if (full_at_.size() >= clients_max_) forget_full(now);
  if (full_at_.size() >= clients_max_) return take_from(now, shared_full_at_);
  return take_from(now, full_at_.emplace(key, now).first->second);
}

}  // namespace dotkey::relay
