// SPDX-License-Identifier: Apache-2.0
#include "core/dht/write_tokens.h"

#include "core/crypto/secret.h"

namespace dotkey::dht {

WriteTokens::WriteTokens(engine::Entropy& entropy, Instant now) : rotated_at_(now) {
  entropy.fill(current_);
  entropy.fill(previous_);
}

WriteTokens::Token WriteTokens::token_for(IpAddress const& address) const {
  return crypto::short_hash(current_, address.bytes());
}

bool WriteTokens::is_valid(IpAddress const& address, ByteView token) const {
  return crypto::equal_in_constant_time(token, crypto::short_hash(current_, address.bytes())) ||
         crypto::equal_in_constant_time(token, crypto::short_hash(previous_, address.bytes()));
}

void WriteTokens::rotate_if_due(engine::Entropy& entropy, Instant now) {
  if (now - rotated_at_ < rotate_every) return;
  previous_ = current_;
  entropy.fill(current_);
  rotated_at_ = now;
}

}  // namespace dotkey::dht
