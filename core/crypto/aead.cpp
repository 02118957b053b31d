// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/aead.h"

#include <sodium.h>

namespace dotkey::crypto {

using base::ErrorCode;

base::Result<AeadKey> derive_key(std::string_view passphrase, KdfSalt const& salt, KdfCost cost) {
  if (cost.passes == 0 || cost.passes > KdfCost::passes_max || cost.memory_kib < 8 ||
      cost.memory_kib > KdfCost::memory_kib_max) {
    return base::fail(ErrorCode::number_out_of_range, "Argon2id cost");
  }
  static_assert(crypto_pwhash_SALTBYTES == KdfSalt::size);
  AeadKey key;
  int const status =
      crypto_pwhash(key.writable().data(), key.writable().size(), passphrase.data(),
                    passphrase.size(), salt.bytes.data(), cost.passes,
                    std::size_t{cost.memory_kib} * 1024, crypto_pwhash_ALG_ARGON2ID13);
  if (status != 0) return base::fail(ErrorCode::crypto_unavailable, "Argon2id found no memory");
  return key;
}

base::Bytes seal(AeadKey const& key, AeadNonce const& nonce, base::ByteView plaintext,
                 base::ByteView associated_data) {
  base::Bytes out(plaintext.size() + crypto_aead_xchacha20poly1305_ietf_ABYTES);
  unsigned long long size = 0;
  crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), &size, plaintext.data(), plaintext.size(),
                                             associated_data.data(), associated_data.size(),
                                             nullptr, nonce.bytes.data(), key.expose().data());
  out.resize(static_cast<std::size_t>(size));
  return out;
}

base::Result<base::Bytes> open(AeadKey const& key, AeadNonce const& nonce,
                               base::ByteView ciphertext, base::ByteView associated_data) {
  if (ciphertext.size() < crypto_aead_xchacha20poly1305_ietf_ABYTES) {
    return base::fail(ErrorCode::crypto_decryption_failed);
  }
  base::Bytes out(ciphertext.size() - crypto_aead_xchacha20poly1305_ietf_ABYTES);
  unsigned long long size = 0;
  int const status = crypto_aead_xchacha20poly1305_ietf_decrypt(
      out.data(), &size, nullptr, ciphertext.data(), ciphertext.size(), associated_data.data(),
      associated_data.size(), nonce.bytes.data(), key.expose().data());
  if (status != 0) return base::fail(ErrorCode::crypto_decryption_failed);
  return out;
}

}  // namespace dotkey::crypto
