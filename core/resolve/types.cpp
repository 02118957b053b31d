// SPDX-License-Identifier: Apache-2.0
#include "core/resolve/types.h"

#include <algorithm>
#include <limits>

namespace dotkey::resolve {

std::string_view name_of(Policy policy) {
  switch (policy) {
    case Policy::cache:
      return "cache";
    case Policy::first:
      return "first";
    case Policy::newest:
      return "newest";
  }
  return {};
}

std::optional<Policy> parse_policy(std::string_view text) {
  for (Policy const policy : {Policy::cache, Policy::first, Policy::newest}) {
    if (text == name_of(policy)) return policy;
  }
  return std::nullopt;
}

std::string_view name_of(Source source) {
  switch (source) {
    case Source::cache:
      return "cache";
    case Source::dht:
      return "dht";
    case Source::relay:
      return "relay";
  }
  return {};
}

std::uint32_t Outcome::age_s(UnixTime now) const {
  std::int64_t const age = (now - last_seen).us / 1'000'000;
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(age, 0, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace dotkey::resolve
