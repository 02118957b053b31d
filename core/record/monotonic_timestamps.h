// SPDX-License-Identifier: Apache-2.0
// Timestamps that grow from one packet to the next even when the system clock steps back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

namespace dotkey::record {

class MonotonicTimestamps {
 public:
  // `last_us`: the timestamp of the newest packet known of this key, kept by the caller; 0 for
  // none.
  explicit MonotonicTimestamps(std::int64_t last_us = 0) : last_us_(last_us) {}

  // Microseconds since 1970: `now_us`, or one more than the last. Nullopt when the last leaves no
  // room below the largest BEP 44 sequence number.
  std::optional<std::int64_t> next(std::int64_t now_us) {
    if (last_us_ == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    last_us_ = std::max(now_us, last_us_ + 1);
    return last_us_;
  }

  // A packet of the same key was seen, perhaps published from elsewhere.
  void on_seen(std::int64_t timestamp_us) { last_us_ = std::max(last_us_, timestamp_us); }

  [[nodiscard]] std::int64_t last_us() const { return last_us_; }

 private:
  std::int64_t last_us_;
};

}  // namespace dotkey::record
