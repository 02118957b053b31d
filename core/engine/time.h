// SPDX-License-Identifier: Apache-2.0
// Time as a parameter. Instant is monotonic and has no calendar; UnixTime is the calendar.
#pragma once

#include <compare>
#include <cstdint>

namespace dotkey::engine {

struct Duration {
  std::int64_t us = 0;

  static constexpr Duration from_us(std::int64_t n) { return {n}; }
  static constexpr Duration from_ms(std::int64_t n) { return {n * 1000}; }
  static constexpr Duration from_s(std::int64_t n) { return {n * 1'000'000}; }
  [[nodiscard]] constexpr std::int64_t ms() const { return us / 1000; }
  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.us + b.us}; }
  friend constexpr Duration operator-(Duration a, Duration b) { return {a.us - b.us}; }
  friend constexpr Duration operator*(Duration a, std::int64_t n) { return {a.us * n}; }
  friend constexpr Duration operator/(Duration a, std::int64_t n) { return {a.us / n}; }
};

// Microseconds since an arbitrary start; never goes backwards.
struct Instant {
  std::int64_t us = 0;

  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend constexpr Instant operator+(Instant t, Duration d) { return {t.us + d.us}; }
  friend constexpr Instant operator-(Instant t, Duration d) { return {t.us - d.us}; }
  friend constexpr Duration operator-(Instant a, Instant b) { return {a.us - b.us}; }
};

// Microseconds since 1970-01-01 UTC; may step either way with the system clock.
struct UnixTime {
  std::int64_t us = 0;

  friend constexpr auto operator<=>(UnixTime, UnixTime) = default;
  friend constexpr UnixTime operator+(UnixTime t, Duration d) { return {t.us + d.us}; }
  friend constexpr UnixTime operator-(UnixTime t, Duration d) { return {t.us - d.us}; }
  friend constexpr Duration operator-(UnixTime a, UnixTime b) { return {a.us - b.us}; }
};

// Both clocks, read together: deadlines follow the first, what is kept on disk the second.
struct Moment {
  Instant instant;
  UnixTime unix_time;
};

}  // namespace dotkey::engine
