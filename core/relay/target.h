// SPDX-License-Identifier: Apache-2.0
// What a request to a relay is about: "/key?policy=CacheOnly".
#pragma once

#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "core/relay/types.h"

namespace dotkey::relay {

// One segment behind the first slash, then perhaps a query. Views of the text.
struct Target {
  std::string_view segment;
  std::string_view query;
};
std::optional<Target> split_target(std::string_view target);

// The 32 bytes that a bare key spells, on the curve or not.
std::optional<PublicKey> spelled_key(std::string_view segment);
// Every spelling of a key, percent-encoded or not. Errors: those of names::parse_public_key.
base::Result<PublicKey> parse_segment(std::string_view segment);

// The parameter's value; Policy::cache_first without one, nullopt for a value unknown.
std::optional<Policy> policy_of(std::string_view query);

}  // namespace dotkey::relay
