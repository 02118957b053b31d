// SPDX-License-Identifier: Apache-2.0
#include "core/relay/types.h"

namespace dotkey::relay {

std::string_view name_of(Policy policy) {
  switch (policy) {
    case Policy::cache_only:
      return "CacheOnly";
    case Policy::cache_first:
      return "CacheFirst";
    case Policy::network_only:
      return "NetworkOnly";
  }
  return {};
}

std::optional<Policy> parse_policy(std::string_view text) {
  for (Policy const policy : {Policy::cache_only, Policy::cache_first, Policy::network_only}) {
    if (text == name_of(policy)) return policy;
  }
  return std::nullopt;
}

}  // namespace dotkey::relay
