// SPDX-License-Identifier: Apache-2.0
// The commons of a relay's threads: cut into parts by client and by key, each under its own locks.
#pragma once

#include <array>
#include <memory>
#include <mutex>

#include "core/relay/commons.h"

namespace dotkey::host::relay {

class SharedCommons final : public dotkey::relay::Commons {
 public:
  // `hash_key`: a secret.
  SharedCommons(dotkey::relay::Quotas const& quotas, std::uint64_t hash_key);

  // On any thread.
  std::optional<dotkey::relay::Allowance> take(engine::Instant now,
                                               base::IpAddress const& client) override;
  std::optional<dotkey::relay::Allowance> take_dht(engine::Instant now,
                                                   base::IpAddress const& client) override;

 private:
  Puts& lock_puts(crypto::PublicKey const& key) override;
  void unlock_puts(crypto::PublicKey const& key) override;

  static constexpr std::size_t part_count = 16;
  struct Part {
    Part(dotkey::relay::Quotas const& quotas, std::uint64_t hash_key)
        : commons(quotas, hash_key, dotkey::relay::ClientLimits::clients_max_default / part_count) {
    }
    // The quotas, and the puts; whoever has the latter may ask for the former.
    std::mutex limits_mutex;
    std::mutex puts_mutex;
    dotkey::relay::LocalCommons commons;
  };

  Part& part_of(base::IpAddress const& client);
  Part& part_of(crypto::PublicKey const& key);

  std::uint64_t hash_key_;
  std::array<std::unique_ptr<Part>, part_count> parts_;
};

}  // namespace dotkey::host::relay
