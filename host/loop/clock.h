// SPDX-License-Identifier: Apache-2.0
// The system's clocks as the core's types.
#pragma once

#include <chrono>

#include "core/engine/time.h"

namespace dotkey::host::loop {

inline engine::Instant now() {
  auto const since = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

inline engine::UnixTime unix_now() {
  auto const since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

inline engine::Moment moment() {
  return {now(), unix_now()};
}

inline std::chrono::steady_clock::time_point time_point_of(engine::Instant instant) {
  return std::chrono::steady_clock::time_point(std::chrono::microseconds(instant.us));
}

}  // namespace dotkey::host::loop
