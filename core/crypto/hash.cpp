// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/hash.h"

#include <bit>

#include <sodium.h>

#include "core/base/integers.h"

namespace dotkey::crypto {
namespace {

// FIPS 180-4 §6.1. libsodium has no SHA-1.
class Sha1 {
 public:
  void update(base::ByteView bytes) {
    for (std::uint8_t const byte : bytes) {
      block_[used_++] = byte;
      if (used_ == block_.size()) compress();
    }
    size_ += bytes.size();
  }

  std::array<std::uint8_t, 20> finish() {
    std::uint64_t const bits = size_ * 8;
    block_[used_++] = 0x80;
    if (used_ > 56) {
      std::fill(block_.begin() + static_cast<std::ptrdiff_t>(used_), block_.end(), 0);
      compress();
    }
    std::fill(block_.begin() + static_cast<std::ptrdiff_t>(used_), block_.begin() + 56, 0);
    base::write_be(block_.data() + 56, bits);
    compress();
    std::array<std::uint8_t, 20> out{};
    for (std::size_t i = 0; i < 5; ++i) base::write_be(out.data() + 4 * i, state_[i]);
    return out;
  }

 private:
  void compress() {
    std::array<std::uint32_t, 80> w;
    for (std::size_t i = 0; i < 16; ++i) w[i] = base::read_be<std::uint32_t>(block_, 4 * i);
    for (std::size_t i = 16; i < 80; ++i) {
      w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    auto [a, b, c, d, e] = state_;
    for (std::size_t i = 0; i < 80; ++i) {
      std::uint32_t f = 0;
      std::uint32_t k = 0;
      if (i < 20) {
        f = (b & c) | (~b & d);
        k = 0x5a827999;
      } else if (i < 40) {
        f = b ^ c ^ d;
        k = 0x6ed9eba1;
      } else if (i < 60) {
        f = (b & c) | (b & d) | (c & d);
        k = 0x8f1bbcdc;
      } else {
        f = b ^ c ^ d;
        k = 0xca62c1d6;
      }
      std::uint32_t const next = std::rotl(a, 5) + f + e + k + w[i];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    state_[0] += a;
    state_[1] += b;
    state_[2] += c;
    state_[3] += d;
    state_[4] += e;
    used_ = 0;
  }

  std::array<std::uint32_t, 5> state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::array<std::uint8_t, 64> block_{};
  std::size_t used_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace

std::array<std::uint8_t, 20> sha1(std::initializer_list<base::ByteView> parts) {
  Sha1 hash;
  for (auto const part : parts) hash.update(part);
  return hash.finish();
}

std::array<std::uint8_t, 32> sha256(std::initializer_list<base::ByteView> parts) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (auto const part : parts) crypto_hash_sha256_update(&state, part.data(), part.size());
  std::array<std::uint8_t, 32> out{};
  crypto_hash_sha256_final(&state, out.data());
  return out;
}

std::array<std::uint8_t, 64> sha512(std::initializer_list<base::ByteView> parts) {
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  for (auto const part : parts) crypto_hash_sha512_update(&state, part.data(), part.size());
  std::array<std::uint8_t, 64> out{};
  crypto_hash_sha512_final(&state, out.data());
  return out;
}

std::array<std::uint8_t, 32> blake2b(std::initializer_list<base::ByteView> parts) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, 32);
  for (auto const part : parts) crypto_generichash_update(&state, part.data(), part.size());
  std::array<std::uint8_t, 32> out{};
  crypto_generichash_final(&state, out.data(), out.size());
  return out;
}

std::array<std::uint8_t, 8> short_hash(ShortHashKey const& key, base::ByteView message) {
  static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);
  std::array<std::uint8_t, 8> out{};
  crypto_shorthash(out.data(), message.data(), message.size(), key.data());
  return out;
}

}  // namespace dotkey::crypto
