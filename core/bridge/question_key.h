// SPDX-License-Identifier: Apache-2.0
// What an answer is filed under: the question in lower case, and the flags that change the answer.
#pragma once

#include <array>
#include <cstdint>

#include "core/bridge/query.h"

namespace dotkey::bridge {

class QuestionKey {
 public:
  // `message` is a query that parse_query() found to be ok. `secret`: strangers choose the names.
  QuestionKey(ByteView message, Query const& query, std::uint64_t secret);
  // A question of our own.
  QuestionKey(wire::dns::Name const& name, wire::dns::RecordType type, std::uint64_t secret);

  [[nodiscard]] ByteView bytes() const { return ByteView(bytes_).first(size_); }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  // Name, type and class as they stand in a message, in lower case.
  [[nodiscard]] ByteView question() const { return ByteView(bytes_).first(size_ - 1U); }

  friend bool operator==(QuestionKey const& a, QuestionKey const& b) {
    return base::equal(a.bytes(), b.bytes());
  }

 private:
  static constexpr std::size_t word_size = 8;
  void fill(ByteView name, std::uint16_t type, std::uint16_t record_class, std::uint8_t flags,
            std::uint64_t secret);

  // 255 bytes of name, four of type and class, one of flags, up to a whole word.
  alignas(word_size) std::array<std::uint8_t, 264> bytes_;
  std::uint16_t size_ = 0;
  std::uint64_t hash_ = 0;
};

}  // namespace dotkey::bridge
