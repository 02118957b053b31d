// SPDX-License-Identifier: Apache-2.0
#include "core/custody/recovery_phrase.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/text.h"
#include "core/crypto/hash.h"
#include "core/custody/bip39_words.h"

namespace dotkey::custody {
namespace {

using base::ErrorCode;

constexpr std::size_t bits_per_word = 11;
constexpr std::size_t list_size = 1U << bits_per_word;
constexpr std::size_t unique_prefix = 4;

using Words = std::array<std::string_view, list_size>;

Words split_list() {
  Words words;
  std::string_view rest = bip39_words;
  for (std::string_view& word : words) {
    std::size_t const end = rest.find(' ');
    word = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  return words;
}

std::optional<std::size_t> index_of(Words const& words, std::string_view word) {
  auto const* const found = std::lower_bound(words.begin(), words.end(), word);
  if (found == words.end()) return std::nullopt;
  bool const matches = *found == word || (word.size() >= unique_prefix && found->starts_with(word));
  if (!matches) return std::nullopt;
  return static_cast<std::size_t>(found - words.begin());
}

// Seed and checksum: 264 bits. Wiped like the seed that is in it.
using Bits = crypto::Secret<33>;

std::uint8_t checksum_of(base::ByteView seed) {
  return crypto::sha256({seed})[0];
}

std::size_t word_at(Bits const& bits, std::size_t position) {
  std::size_t index = 0;
  for (std::size_t i = 0; i < bits_per_word; ++i) {
    std::size_t const at = position * bits_per_word + i;
    index = index << 1 | (bits.expose()[at / 8] >> (7 - at % 8) & 1U);
  }
  return index;
}

void set_word(Bits& bits, std::size_t position, std::size_t index) {
  for (std::size_t i = 0; i < bits_per_word; ++i) {
    std::size_t const at = position * bits_per_word + i;
    std::size_t const bit = index >> (bits_per_word - 1 - i) & 1U;
    bits.writable()[at / 8] |= static_cast<std::uint8_t>(bit << (7 - at % 8));
  }
}

// The next word of `rest`; empty at its end.
std::string_view next_word(std::string_view& rest) {
  constexpr std::string_view blank = " \t\r\n";
  rest.remove_prefix(std::min(rest.find_first_not_of(blank), rest.size()));
  std::size_t const end = std::min(rest.find_first_of(blank), rest.size());
  std::string_view const word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

}  // namespace

std::string encode_recovery_phrase(crypto::Seed const& seed) {
  Bits bits;
  std::copy(seed.expose().begin(), seed.expose().end(), bits.writable().begin());
  bits.writable()[32] = checksum_of(seed.expose());
  Words const words = split_list();
  std::string out;
  // Grown piece by piece, it would leave copies behind.
  out.reserve(recovery_words * 9);
  for (std::size_t i = 0; i < recovery_words; ++i) {
    if (i > 0) out += ' ';
    out += words[word_at(bits, i)];
  }
  return out;
}

base::Result<crypto::Seed> parse_recovery_phrase(std::string_view text) {
  if (text.size() > recovery_phrase_size_max) return base::fail(ErrorCode::phrase_length_wrong);
  std::string lower = base::to_lower_ascii(text);
  Words const words = split_list();
  Bits bits;
  std::string_view rest = lower;
  std::size_t count = 0;
  std::optional<std::size_t> unknown;
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    auto const index = index_of(words, word);
    if (!index && !unknown) unknown = count;
    if (index && count < recovery_words) set_word(bits, count, *index);
    ++count;
  }
  crypto::wipe(lower.data(), lower.size());
  if (count != recovery_words) {
    return base::fail(ErrorCode::phrase_length_wrong, std::to_string(count) + " words");
  }
  if (unknown) {
    return base::fail(ErrorCode::phrase_word_unknown, "word " + std::to_string(*unknown + 1));
  }
  auto const seed = crypto::Seed::from(bits.expose().first(32));
  if (checksum_of(seed->expose()) != bits.expose()[32]) {
    return base::fail(ErrorCode::phrase_checksum_wrong);
  }
  return *seed;
}

}  // namespace dotkey::custody
