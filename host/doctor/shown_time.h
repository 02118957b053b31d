// SPDX-License-Identifier: Apache-2.0
// Days, for a person.
#pragma once

#include <ctime>
#include <string>

#include "core/engine/time.h"

namespace dotkey::host::doctor {

// "2026-11-21", in UTC.
inline std::string shown_day(engine::UnixTime time) {
  auto const seconds = static_cast<std::time_t>(time.us / 1'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%F", &parts)};
}

}  // namespace dotkey::host::doctor
