// SPDX-License-Identifier: Apache-2.0
// How one relay has fared lately, and when it is worth asking again.
#pragma once

#include <cstdint>

#include "core/engine/entropy.h"
#include "core/relay/types.h"

namespace dotkey::relay {

struct BackOff {
  Duration first = Duration::from_s(1);  // doubles with every further failure
  Duration longest = Duration::from_s(300);
};

class Health {
 public:
  void on_success(Duration latency);
  // The relay did not answer, or not sensibly. It rests for first · 2^n, of which a random half is
  // taken off, so that clients do not come back all at once.
  void on_failure(Instant now, BackOff const& back_off, engine::Entropy& entropy);
  // The relay asked us to come back later; no failure.
  void on_rate_limit(Instant now, Duration wait, BackOff const& back_off);

  [[nodiscard]] bool is_resting(Instant now) const { return now < rests_until_; }
  [[nodiscard]] Instant rests_until() const { return rests_until_; }
  // Answers of a relay that failed last are welcome, but nobody waits for them.
  [[nodiscard]] bool is_trusted() const { return consecutive_failures_ == 0; }
  [[nodiscard]] std::uint32_t consecutive_failures() const { return consecutive_failures_; }
  // A moving average over about eight answers; zero before the first.
  [[nodiscard]] Duration latency() const { return latency_; }
  [[nodiscard]] std::uint64_t successes() const { return successes_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  Duration latency_;
  Instant rests_until_;
  std::uint32_t consecutive_failures_ = 0;
  std::uint64_t successes_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace dotkey::relay
