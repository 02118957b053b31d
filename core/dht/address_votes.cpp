// SPDX-License-Identifier: Apache-2.0
#include "core/dht/address_votes.h"

#include <algorithm>

namespace dotkey::dht {

bool AddressVotes::on_vote(IpAddress const& voter, Endpoint const& seen) {
  std::erase_if(votes_, [&](Vote const& vote) { return vote.voter == voter; });
  votes_.push_back({voter, seen});
  if (votes_.size() > votes_max) votes_.pop_front();
  auto const same_address = [&](Vote const& vote) { return vote.seen.address == seen.address; };
  auto const count = std::count_if(votes_.begin(), votes_.end(), same_address);
  if (static_cast<std::size_t>(count) < votes_to_win || external_ == seen) return false;
  // The port may differ from peer to peer behind some NATs; the latest is as good as any, but only
  // a new address is news.
  bool const changed = !external_ || !(external_->address == seen.address);
  external_ = seen;
  return changed;
}

}  // namespace dotkey::dht
