// SPDX-License-Identifier: Apache-2.0
// The text of a key file: pkarr's 64 hexadecimal characters, or a seed sealed under a passphrase.
// docs/protocol/key-file.md has the format.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/crypto/aead.h"
#include "core/crypto/keys.h"
#include "core/crypto/secret.h"
#include "core/engine/entropy.h"

namespace dotkey::custody {

inline constexpr std::size_t key_file_size_max = 4096;

// A parsed key file. Exactly one of `seed` and `sealed` is there.
struct KeyFile {
  struct Sealed {
    crypto::KdfCost cost;
    crypto::KdfSalt salt;
    crypto::AeadNonce nonce;
    base::Bytes box;
    std::string header;  // the lines before the box: the associated data
  };
  crypto::PublicKey public_key;
  std::optional<crypto::Seed> seed;
  std::optional<Sealed> sealed;

  [[nodiscard]] bool is_locked() const { return sealed.has_value(); }
};

// 64 lower-case hexadecimal characters, no newline: what pkarr writes.
std::string encode_key_file(crypto::Seed const& seed);

// Errors: those of crypto::derive_key.
base::Result<std::string> encode_key_file(crypto::Seed const& seed, std::string_view passphrase,
                                          crypto::KdfCost cost, engine::Entropy& entropy);

// Errors: keystore_malformed. The public key of a locked file is a claim until unlock().
base::Result<KeyFile> parse_key_file(std::string_view text);

// The seed, checked against the file's public key. Errors: crypto_decryption_failed,
// keystore_malformed, those of crypto::derive_key.
base::Result<crypto::Seed> unlock(KeyFile const& file, std::string_view passphrase);

}  // namespace dotkey::custody
