// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/crypto/ed25519.h"
#include "core/crypto/hash.h"
#include "core/custody/bip39_words.h"
#include "core/custody/key_file.h"
#include "core/custody/recovery_phrase.h"

#include "tests/support/json.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::custody {
namespace {

using base::ErrorCode;

constexpr crypto::KdfCost cheap{1, 8};

crypto::Seed seed_of(std::uint8_t fill) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(fill);
  return *crypto::Seed::from(bytes);
}

TEST(key_file, without_a_passphrase_it_is_what_pkarr_writes) {
  std::string const text = encode_key_file(seed_of(0xab));
  std::string expected;
  for (int i = 0; i < 32; ++i) expected += "ab";
  EXPECT_EQ(text, expected);
  auto const file = parse_key_file("  " + text + "\n");
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->is_locked());
  EXPECT_EQ(file->public_key, crypto::KeyPair(seed_of(0xab)).public_key());
}

TEST(key_file, a_sealed_seed_opens_with_its_passphrase_alone) {
  test::SeededEntropy entropy(1);
  auto const text = encode_key_file(seed_of(7), "correct horse", cheap, entropy);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->find(base::encode_hex(seed_of(7).expose())), std::string::npos);
  auto const file = parse_key_file(*text);
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->is_locked());
  EXPECT_EQ(file->public_key, crypto::KeyPair(seed_of(7)).public_key());
  EXPECT_EQ(unlock(*file, "wrong").error().code, ErrorCode::crypto_decryption_failed);
  auto const seed = unlock(*file, "correct horse");
  ASSERT_TRUE(seed);
  EXPECT_TRUE(base::equal(seed->expose(), seed_of(7).expose()));
}

TEST(key_file, any_changed_character_of_a_sealed_file_is_noticed) {
  test::SeededEntropy entropy(2);
  std::string const text = encode_key_file(seed_of(9), "p", cheap, entropy).value();
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {  // the last is a newline, which is trimmed
    std::string changed = text;
    changed[i] = changed[i] == '3' ? '4' : '3';
    auto const file = parse_key_file(changed);
    EXPECT_FALSE(file && unlock(*file, "p")) << "at " << i;
  }
}

TEST(key_file, damaged_text_is_refused) {
  test::SeededEntropy entropy(3);
  std::string const sealed = encode_key_file(seed_of(9), "p", cheap, entropy).value();
  std::string const plain = encode_key_file(seed_of(9));
  for (std::string const& text :
       {std::string(), std::string("hello"), plain.substr(1), plain + "00", sealed.substr(0, 100),
        sealed + "more", std::string(key_file_size_max + 1, 'a')}) {
    auto const file = parse_key_file(text);
    ASSERT_FALSE(file) << text;
    EXPECT_EQ(file.error().code, ErrorCode::keystore_malformed);
  }
}

TEST(key_file, absurd_argon2_costs_are_refused_before_memory_is_asked_for) {
  test::SeededEntropy entropy(4);
  std::string text = encode_key_file(seed_of(9), "p", cheap, entropy).value();
  std::string const memory = "argon2id-memory-kib 8";
  text.replace(text.find(memory), memory.size(), "argon2id-memory-kib 4000000000");
  EXPECT_EQ(parse_key_file(text).error().code, ErrorCode::keystore_malformed);
}

TEST(recovery_phrase, the_word_list_is_the_one_of_bip_39) {
  std::string list(bip39_words);
  std::replace(list.begin(), list.end(), ' ', '\n');
  EXPECT_EQ(base::encode_hex(crypto::sha256({base::view_of(list)})),
            "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
}

TEST(recovery_phrase, words_and_seeds_are_those_of_other_programs) {
  auto const vectors = test::load_vectors("recovery_phrases.json");
  for (auto const& item : vectors.at("phrases").as_array()) {
    auto const words = test::text_at(item, "words");
    auto const seed = crypto::Seed::from(test::hex_at(item, "seed"));
    EXPECT_EQ(encode_recovery_phrase(*seed), words);
    auto const parsed = parse_recovery_phrase(words);
    ASSERT_TRUE(parsed) << words;
    EXPECT_TRUE(base::equal(parsed->expose(), seed->expose()));
  }
}

TEST(recovery_phrase, case_and_white_space_do_not_matter_and_four_letters_are_enough) {
  auto const vectors = test::load_vectors("recovery_phrases.json");
  for (auto const& item : vectors.at("other_spellings").as_array()) {
    auto const parsed = parse_recovery_phrase(test::text_at(item, "words"));
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_TRUE(base::equal(parsed->expose(), test::hex_at(item, "seed")));
  }
}

TEST(recovery_phrase, what_was_mistyped_is_refused_with_its_place) {
  auto const vectors = test::load_vectors("recovery_phrases.json");
  for (auto const& item : vectors.at("rejected").as_array()) {
    auto const parsed = parse_recovery_phrase(test::text_at(item, "words"));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(base::slug_of(parsed.error().code), test::text_at(item, "error"));
    if (item.as_object().contains("detail")) {
      EXPECT_EQ(parsed.error().detail, test::text_at(item, "detail"));
    }
  }
  EXPECT_FALSE(parse_recovery_phrase(std::string(1 << 20, 'a')));
}

TEST(recovery_phrase, a_wrong_order_is_refused_but_by_chance) {
  test::SeededEntropy entropy(11);
  int accepted = 0;
  for (int i = 0; i < 64; ++i) {
    crypto::Seed seed;
    entropy.fill(seed.writable());
    std::string text = encode_recovery_phrase(seed);
    // The first word goes to the end.
    std::size_t const space = text.find(' ');
    text = text.substr(space + 1) + " " + text.substr(0, space);
    accepted += parse_recovery_phrase(text) ? 1 : 0;
  }
  EXPECT_LE(accepted, 4);  // one in 256 by chance
}

}  // namespace
}  // namespace dotkey::custody
