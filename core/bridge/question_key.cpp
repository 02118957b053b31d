// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/question_key.h"

#include <cstring>

#include "core/base/integers.h"

namespace dotkey::bridge {
namespace {

constexpr std::uint64_t ones = 0x0101010101010101ULL;
constexpr std::uint64_t tops = 0x80 * ones;

// Eight ASCII letters at a time. Length bytes stay: they are below 'A'.
std::uint64_t to_lower(std::uint64_t word) {
  std::uint64_t const low = word & ~tops;
  std::uint64_t const from_a = low + (0x80 - 'A') * ones;
  std::uint64_t const above_z = low + (0x7f - 'Z') * ones;
  std::uint64_t const is_upper = (from_a ^ above_z) & ~word & tops;
  return word | is_upper >> 2;
}

__extension__ using Product = unsigned __int128;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  Product const product = static_cast<Product>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

QuestionKey::QuestionKey(ByteView message, Query const& query, std::uint64_t secret) {
  ByteView const question = message.subspan(wire::dns::header_size, query.question_size);
  unsigned const flags = (query.dnssec_ok ? 1U : 0U) | (query.checking_disabled() ? 2U : 0U);
  fill(question.first(question.size() - 4), static_cast<std::uint16_t>(query.type),
       static_cast<std::uint16_t>(query.record_class), static_cast<std::uint8_t>(flags), secret);
}

QuestionKey::QuestionKey(wire::dns::Name const& name, wire::dns::RecordType type,
                         std::uint64_t secret) {
  fill(name.wire(), static_cast<std::uint16_t>(type),
       static_cast<std::uint16_t>(wire::dns::RecordClass::in), 0, secret);
}

void QuestionKey::fill(ByteView name, std::uint16_t type, std::uint16_t record_class,
                       std::uint8_t flags, std::uint64_t secret) {
  size_ = static_cast<std::uint16_t>(name.size() + 5);
  std::size_t const words = (size_ + word_size - 1) / word_size;
  std::memset(bytes_.data() + (words - 1) * word_size, 0, word_size);
  std::memcpy(bytes_.data(), name.data(), name.size());
  std::size_t const name_words = (name.size() + word_size - 1) / word_size;
  for (std::size_t i = 0; i < name_words; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes_.data() + i * word_size, word_size);
    word = to_lower(word);
    std::memcpy(bytes_.data() + i * word_size, &word, word_size);
  }
  std::uint8_t* const tail = bytes_.data() + name.size();
  base::write_be(tail, type);
  base::write_be(tail + 2, record_class);
  tail[4] = flags;
  std::uint64_t hash = secret ^ size_;
  for (std::size_t i = 0; i < words; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes_.data() + i * word_size, word_size);
    hash = fold(hash ^ word, 0x9e3779b97f4a7c15ULL ^ secret);
  }
  hash_ = hash;
}

}  // namespace dotkey::bridge
