// SPDX-License-Identifier: Apache-2.0
// Write tokens (BEP 5): a keyed hash of the asker's address, so that only who receives at an
// address can store from it. CRC tokens, as elsewhere, can be computed for any address from one
// sample.
#pragma once

#include "core/crypto/hash.h"
#include "core/dht/types.h"
#include "core/engine/entropy.h"

namespace dotkey::dht {

class WriteTokens {
 public:
  using Token = std::array<std::uint8_t, 8>;
  static constexpr Duration rotate_every = Duration::from_s(5 * 60);

  WriteTokens(engine::Entropy& entropy, Instant now);
  [[nodiscard]] Token token_for(IpAddress const& address) const;
  // Tokens of the current and the previous period are good: 5 to 10 minutes.
  [[nodiscard]] bool is_valid(IpAddress const& address, ByteView token) const;
  void rotate_if_due(engine::Entropy& entropy, Instant now);

 private:
  crypto::ShortHashKey current_{};
  crypto::ShortHashKey previous_{};
  Instant rotated_at_;
};

}  // namespace dotkey::dht
