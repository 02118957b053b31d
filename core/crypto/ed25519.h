// SPDX-License-Identifier: Apache-2.0
// Ed25519 (RFC 8032) by libsodium.
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/keys.h"
#include "core/crypto/secret.h"

namespace dotkey::crypto {

// True when the 32 bytes decode to a point of the curve, of any order: what pkarr asks of a key.
// Keys that libsodium would refuse as small-order pass here and fail at every signature.
bool is_on_curve(PublicKey const& key);

// False for any signature libsodium refuses (RFC 8032 with its strict checks).
bool verify(PublicKey const& key, Signature const& signature, base::ByteView message);

// Port for whoever holds a secret key: memory, a file, a smart card.
class Signer {
 public:
  virtual ~Signer() = default;
  [[nodiscard]] virtual PublicKey const& public_key() const = 0;
  virtual base::Result<Signature> sign(base::ByteView message) = 0;
};

// A key pair in memory. The secret half is wiped on destruction.
class KeyPair final : public Signer {
 public:
  explicit KeyPair(Seed const& seed);

  [[nodiscard]] PublicKey const& public_key() const override { return public_key_; }
  base::Result<Signature> sign(base::ByteView message) override;
  // The same without a Result, for a key that cannot fail.
  [[nodiscard]] Signature sign_now(base::ByteView message) const;

 private:
  PublicKey public_key_;
  Secret<64> secret_key_;
};

}  // namespace dotkey::crypto
