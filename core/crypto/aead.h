// SPDX-License-Identifier: Apache-2.0
// Encryption at rest: XChaCha20-Poly1305 under a key that Argon2id (RFC 9106) makes of a
// passphrase.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/secret.h"

namespace dotkey::crypto {

using AeadKey = Secret<32>;
using AeadNonce = base::FixedBytes<24, struct AeadNonceTag>;
using KdfSalt = base::FixedBytes<16, struct KdfSaltTag>;

// Bounds that parse_* of stored parameters must keep to, or a file could ask for all memory.
struct KdfCost {
  static constexpr std::uint32_t passes_max = 16;
  static constexpr std::uint32_t memory_kib_max = 1U << 20;
  std::uint32_t passes = 3;
  std::uint32_t memory_kib = 64 * 1024;
};

// One thread. Errors: crypto_unavailable when the memory cannot be had, number_out_of_range.
base::Result<AeadKey> derive_key(std::string_view passphrase, KdfSalt const& salt, KdfCost cost);

// Ciphertext ‖ 16-byte tag.
base::Bytes seal(AeadKey const& key, AeadNonce const& nonce, base::ByteView plaintext,
                 base::ByteView associated_data);
// The caller wipes what it gets. Errors: crypto_decryption_failed.
base::Result<base::Bytes> open(AeadKey const& key, AeadNonce const& nonce,
                               base::ByteView ciphertext, base::ByteView associated_data);

}  // namespace dotkey::crypto
