// SPDX-License-Identifier: Apache-2.0
// What servers side by side have in common: who may still ask, and which packets are being put.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "core/relay/client_limits.h"
#include "core/relay/types.h"

namespace dotkey::relay {

enum class TicketId : std::uint32_t {};

// Absent: no limit. `requests` counts every one but preflights, `dht_requests` those that reach the
// DHT.
struct Quotas {
  std::optional<Quota> requests = Quota{};
  std::optional<Quota> dht_requests = Quota{};
};

// A packet on its way into the DHT and onto the disk.
struct PutUnderWay {
  SignedPacket packet;
  void const* server;  // whose ticket it is
  TicketId id;
};

// A driver with servers on several threads guards this between them.
class Commons {
 public:
  // Of one key, the newest last.
  using Puts = std::vector<PutUnderWay>;

  virtual ~Commons() = default;
  // Takes one request from what the client may ask. Nullopt: there is no limit.
  virtual std::optional<Allowance> take(Instant now, base::IpAddress const& client) = 0;
  virtual std::optional<Allowance> take_dht(Instant now, base::IpAddress const& client) = 0;
  // Runs `use(Puts&)`; no other server sees or changes this key's puts until it returns. It calls
  // take_dht() at most.
  template <class Use>
  void with_puts(PublicKey const& key, Use use) {
    use(lock_puts(key));
    unlock_puts(key);
  }

 private:
  // Good until the unlocking that follows.
  virtual Puts& lock_puts(PublicKey const& key) = 0;
  virtual void unlock_puts(PublicKey const& key) = 0;
};

// For servers on one thread.
class LocalCommons final : public Commons {
 public:
  // `hash_key`: a secret. `clients_max` as of ClientLimits.
  LocalCommons(Quotas const& quotas, std::uint64_t hash_key,
               std::size_t clients_max = ClientLimits::clients_max_default);

  std::optional<Allowance> take(Instant now, base::IpAddress const& client) override;
  std::optional<Allowance> take_dht(Instant now, base::IpAddress const& client) override;
  Puts& lock_puts(PublicKey const& key) override;
  void unlock_puts(PublicKey const& key) override;

 private:
  std::optional<ClientLimits> limits_;
  std::optional<ClientLimits> dht_limits_;
  std::map<PublicKey, Puts> puts_;  // without empty ones
};

}  // namespace dotkey::relay
