// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/ed25519.h"

#include <sodium.h>

namespace dotkey::crypto {

bool is_on_curve(PublicKey const& key) {
  // Adding a point decodes it without asking for its order; crypto_core_ed25519_is_valid_point
  // would also demand the prime-order subgroup.
  std::array<std::uint8_t, 32> identity{};
  identity[0] = 1;
  std::array<std::uint8_t, 32> sum{};
  return crypto_core_ed25519_add(sum.data(), key.bytes.data(), identity.data()) == 0;
}

bool verify(PublicKey const& key, Signature const& signature, base::ByteView message) {
  return crypto_sign_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                     key.bytes.data()) == 0;
}

KeyPair::KeyPair(Seed const& seed) {
  crypto_sign_seed_keypair(public_key_.bytes.data(), secret_key_.writable().data(),
                           seed.expose().data());
}

Signature KeyPair::sign_now(base::ByteView message) const {
  Signature out;
  crypto_sign_detached(out.bytes.data(), nullptr, message.data(), message.size(),
                       secret_key_.expose().data());
  return out;
}

base::Result<Signature> KeyPair::sign(base::ByteView message) {
  return sign_now(message);
}

}  // namespace dotkey::crypto
