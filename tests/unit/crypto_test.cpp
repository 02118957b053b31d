// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/crypto/aead.h"
#include "core/crypto/ed25519.h"
#include "core/crypto/hash.h"

#include "tests/support/json.h"

namespace dotkey::crypto {
namespace {

using base::encode_hex;
using base::view_of;

TEST(hash, sha1_agrees_with_fips_180_4) {
  EXPECT_EQ(encode_hex(sha1({view_of("abc")})), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(encode_hex(sha1({})), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(encode_hex(sha1({view_of("abcdbcdecdefdefgefghfghighijhijk"),
                             view_of("ijkljklmklmnlmnomnopnopq")})),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

TEST(ed25519, a_changed_bit_breaks_the_signature) {
  KeyPair pair{Seed{}};
  auto const message = view_of("hello");
  auto signature = pair.sign_now(message);
  EXPECT_TRUE(verify(pair.public_key(), signature, message));
  signature.bytes[5] ^= 1;
  EXPECT_FALSE(verify(pair.public_key(), signature, message));
}

TEST(ed25519, the_curve_check_tells_points_from_noise) {
  KeyPair const pair{Seed{}};
  EXPECT_TRUE(is_on_curve(pair.public_key()));
  auto const noise =
      base::parse_hex("6482a31e25b0007a31038ae9a2d3835afa10df86366fb3c4bacaf70a1e9f5867");
  EXPECT_FALSE(is_on_curve(*PublicKey::from(noise.value())));
}

TEST(ed25519, seeds_grow_into_the_keys_of_the_vectors) {
  auto const vectors = test::load_vectors("keys.json");
  std::size_t seeds = 0;
  for (auto const& vector : vectors.at("keys").as_array()) {
    auto const key = PublicKey::from(test::hex_at(vector, "public_key")).value();
    EXPECT_TRUE(is_on_curve(key));
    EXPECT_EQ(base::encode_zbase32(key.view()), test::text_at(vector, "zbase32"));
    EXPECT_EQ(encode_hex(sha1({key.view()})), test::text_at(vector, "sha1"));
    if (!vector.as_object().contains("seed")) continue;
    EXPECT_EQ(KeyPair(Seed::from(test::hex_at(vector, "seed")).value()).public_key(), key);
    ++seeds;
  }
  EXPECT_EQ(seeds, 5U);
  for (auto const& vector : vectors.at("not_on_curve").as_array()) {
    auto const bytes = base::parse_zbase32(test::text_at(vector, "zbase32")).value();
    EXPECT_EQ(bytes, test::hex_at(vector, "bytes"));
    EXPECT_FALSE(is_on_curve(PublicKey::from(bytes).value()));
  }
}

TEST(aead, opens_only_with_the_right_passphrase_and_unchanged_bytes) {
  KdfCost const cheap{.passes = 1, .memory_kib = 64};
  auto const key = derive_key("correct horse", KdfSalt{}, cheap).value();
  auto const wrong = derive_key("battery staple", KdfSalt{}, cheap).value();
  auto box = seal(key, AeadNonce{}, view_of("secret"), view_of("header"));
  EXPECT_EQ(base::text_of(open(key, AeadNonce{}, box, view_of("header")).value()), "secret");
  EXPECT_FALSE(open(wrong, AeadNonce{}, box, view_of("header")));
  EXPECT_FALSE(open(key, AeadNonce{}, box, view_of("Header")));
  box.back() ^= 1;
  EXPECT_FALSE(open(key, AeadNonce{}, box, view_of("header")));
  EXPECT_FALSE(open(key, AeadNonce{}, {}, {}));
}

TEST(aead, absurd_costs_are_refused_before_memory_is_asked_for) {
  EXPECT_FALSE(derive_key("x", KdfSalt{}, {.passes = 1, .memory_kib = 0xffffffff}));
  EXPECT_FALSE(derive_key("x", KdfSalt{}, {.passes = 0, .memory_kib = 64}));
}

}  // namespace
}  // namespace dotkey::crypto
