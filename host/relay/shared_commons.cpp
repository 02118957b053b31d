// SPDX-License-Identifier: Apache-2.0
#include "host/relay/shared_commons.h"

namespace dotkey::host::relay {

namespace protocol = dotkey::relay;

SharedCommons::SharedCommons(protocol::Quotas const& quotas, std::uint64_t hash_key)
    : hash_key_(hash_key) {
  for (auto& part : parts_) part = std::make_unique<Part>(quotas, hash_key);
}

SharedCommons::Part& SharedCommons::part_of(base::IpAddress const& client) {
  std::uint64_t const hash =
      base::HashEndpoint{hash_key_}(protocol::ClientLimits::bucket_of(client));
  return *parts_[hash >> 32 & (part_count - 1)];
}

SharedCommons::Part& SharedCommons::part_of(crypto::PublicKey const& key) {
  return *parts_[base::hash_of(key, hash_key_) >> 32 & (part_count - 1)];
}

std::optional<protocol::Allowance> SharedCommons::take(engine::Instant now,
                                                       base::IpAddress const& client) {
  Part& part = part_of(client);
  std::lock_guard const lock(part.limits_mutex);
  return part.commons.take(now, client);
}

std::optional<protocol::Allowance> SharedCommons::take_dht(engine::Instant now,
                                                           base::IpAddress const& client) {
  Part& part = part_of(client);
  std::lock_guard const lock(part.limits_mutex);
  return part.commons.take_dht(now, client);
}

protocol::Commons::Puts& SharedCommons::lock_puts(crypto::PublicKey const& key) {
  Part& part = part_of(key);
  part.puts_mutex.lock();
  return part.commons.lock_puts(key);
}

void SharedCommons::unlock_puts(crypto::PublicKey const& key) {
  Part& part = part_of(key);
  part.commons.unlock_puts(key);
  part.puts_mutex.unlock();
}

}  // namespace dotkey::host::relay
