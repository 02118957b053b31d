// SPDX-License-Identifier: Apache-2.0
// Our own endpoint as other nodes see it (BEP 42 `ip`).
#pragma once

#include <deque>
#include <optional>

#include "core/dht/types.h"

namespace dotkey::dht {

// The last answers vote; each voting address counts once. A liar alone moves nothing.
class AddressVotes {
 public:
  static constexpr std::size_t votes_max = 16;
  static constexpr std::size_t votes_to_win = 6;

  // True when `external` changed.
  bool on_vote(IpAddress const& voter, Endpoint const& seen);
  [[nodiscard]] std::optional<Endpoint> const& external() const { return external_; }

 private:
  struct Vote {
    IpAddress voter;
    Endpoint seen;
  };
  std::deque<Vote> votes_;
  std::optional<Endpoint> external_;
};

}  // namespace dotkey::dht
