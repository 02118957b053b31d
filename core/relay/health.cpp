// SPDX-License-Identifier: Apache-2.0
#include "core/relay/health.h"

#include <algorithm>

namespace dotkey::relay {

void Health::on_success(Duration latency) {
  latency_ = successes_ == 0 ? latency : (latency_ * 7 + latency) / 8;
  ++successes_;
  consecutive_failures_ = 0;
  rests_until_ = {};
}

void Health::on_failure(Instant now, BackOff const& back_off, engine::Entropy& entropy) {
  ++failures_;
  std::uint32_t const doublings = std::min<std::uint32_t>(consecutive_failures_, 16);
  ++consecutive_failures_;
  Duration const rest = std::min(back_off.first * (std::int64_t{1} << doublings), back_off.longest);
  auto const jitter_ms = static_cast<std::uint32_t>(rest.ms() / 2 + 1);
  rests_until_ = now + rest - Duration::from_ms(entropy.below(jitter_ms));
}

void Health::on_rate_limit(Instant now, Duration wait, BackOff const& back_off) {
  rests_until_ = std::max(rests_until_, now + std::clamp(wait, back_off.first, back_off.longest));
}

}  // namespace dotkey::relay
