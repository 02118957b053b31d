// SPDX-License-Identifier: Apache-2.0
// How often a network may ask, in a table that never grows. Four places a bucket: a newcomer takes
// the place of whoever has been quiet longest, so that a flood from many addresses cannot make the
// table forget one that is over its rate.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/endpoint.h"
#include "core/engine/time.h"

namespace dotkey::bridge {

class RateLimit {
 public:
  // `per_s` 0: no limit. `secret`: strangers choose the addresses.
  RateLimit(std::uint32_t per_s, std::uint32_t burst, std::uint32_t networks_max,
            std::uint64_t secret);

  // Takes one; false when the network has had its share.
  bool take(engine::Instant now, base::IpAddress const& network);

 private:
  static constexpr std::size_t ways = 4;
  struct Place {
    std::uint64_t network = 0;  // its hash
    std::int64_t paid_until_us = 0;
  };

  std::int64_t interval_us_;
  std::int64_t burst_us_;
  base::HashEndpoint hash_;
  std::vector<std::array<Place, ways>> buckets_;
};

}  // namespace dotkey::bridge
