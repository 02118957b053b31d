// SPDX-License-Identifier: Apache-2.0
#include "core/wire/bencode.h"

#include <array>
#include <charconv>
#include <limits>

namespace dotkey::wire::bencode {

using base::Bytes;
using base::ByteView;

namespace {

bool is_digit(std::uint8_t byte) {
  return byte >= '0' && byte <= '9';
}

// A value and the bytes it took.
template <class T>
struct Token {
  T value{};
  std::size_t size = 0;  // 0: malformed
};

Token<ByteView> read_string(ByteView input) {
  std::size_t length = 0;
  std::size_t at = 0;
  for (; at < input.size() && is_digit(input[at]); ++at) {
    length = length * 10 + (input[at] - std::size_t{'0'});
    // Also keeps the sum from overflowing.
    if (length > input.size()) return {};
  }
  if (at == 0 || at == input.size() || input[at] != ':') return {};
  if (at > 1 && input[0] == '0') return {};
  ++at;
  if (length > input.size() - at) return {};
  return {input.subspan(at, length), at + length};
}

Token<std::int64_t> read_integer(ByteView input) {
  if (input.size() < 3 || input[0] != 'i') return {};
  bool const negative = input[1] == '-';
  std::size_t const first = negative ? 2 : 1;
  constexpr std::uint64_t positive_max = std::numeric_limits<std::int64_t>::max();
  std::uint64_t const magnitude_max = negative ? positive_max + 1 : positive_max;
  std::uint64_t magnitude = 0;
  std::size_t at = first;
  for (; at < input.size() && is_digit(input[at]); ++at) {
    std::uint64_t const digit = input[at] - std::uint64_t{'0'};
    if (magnitude > (magnitude_max - digit) / 10) return {};
    magnitude = magnitude * 10 + digit;
  }
  if (at == first || at == input.size() || input[at] != 'e') return {};
  bool const zero_first = input[first] == '0';
  if (zero_first && (negative || at > first + 1)) return {};
  // Two's complement, defined for the smallest value too.
  std::uint64_t const bits = negative ? std::uint64_t{0} - magnitude : magnitude;
  return {static_cast<std::int64_t>(bits), at + 1};
}

// One open container while walking.
struct Level {
  bool dictionary = false;
  bool key_next = false;
  bool has_key = false;
  ByteView last_key{};
};

enum class KeyOrder : std::uint8_t { any, ascending };

// The size of the one value at the start of `input`, nested at most `depth_left` deep; 0 when it is
// malformed. A loop, not recursion: hostile input must not choose the depth of our stack.
std::size_t measure(ByteView input, int depth_left, KeyOrder order) {
  std::array<Level, depth_max> levels;
  std::size_t depth = 0;
  std::size_t at = 0;
  do {
    if (at >= input.size()) return 0;
    Level* const level = depth == 0 ? nullptr : &levels[depth - 1];
    std::uint8_t const byte = input[at];
    if (byte == 'e') {
      if (level == nullptr || (level->dictionary && !level->key_next)) return 0;
      ++at;
      --depth;
      continue;
    }
    if (is_digit(byte)) {
      auto const string = read_string(input.subspan(at));
      if (string.size == 0) return 0;
      at += string.size;
      if (level != nullptr && level->key_next) {
        bool const ascends = !level->has_key || base::compare(level->last_key, string.value) < 0;
        if (order == KeyOrder::ascending && !ascends) return 0;
        level->last_key = string.value;
        level->has_key = true;
        level->key_next = false;
        continue;
      }
    } else {
      if (level != nullptr && level->key_next) return 0;  // a key must be a string
      if (byte == 'i') {
        std::size_t const size = read_integer(input.subspan(at)).size;
        if (size == 0) return 0;
        at += size;
      } else if (byte == 'd' || byte == 'l') {
        if (depth >= levels.size() || static_cast<int>(depth) >= depth_left) return 0;
        if (level != nullptr) level->key_next = level->dictionary;
        levels[depth++] = Level{.dictionary = byte == 'd', .key_next = byte == 'd'};
        ++at;
        continue;
      } else {
        return 0;
      }
    }
    if (level != nullptr) level->key_next = level->dictionary;
  } while (depth > 0);
  return at;
}

// The number and the character that ends it.
template <class T>
void append_decimal(Bytes& out, T value, char terminator) {
  std::array<char, 24> text;
  char* const end = std::to_chars(text.data(), text.data() + text.size() - 1, value).ptr;
  *end = terminator;
  base::append(out, std::string_view(text.data(), static_cast<std::size_t>(end + 1 - text.data())));
}

}  // namespace

bool Cursor::fail() {
  ok_ = false;
  rest_ = {};
  return false;
}

Kind Cursor::peek() const {
  if (!ok_) return Kind::invalid;
  if (rest_.empty()) return Kind::end;
  switch (rest_[0]) {
    case 'i':
      return Kind::integer;
    case 'l':
      return Kind::list;
    case 'd':
      return Kind::dictionary;
    case 'e':
      return Kind::end;
    default:
      return is_digit(rest_[0]) ? Kind::string : Kind::invalid;
  }
}

std::optional<std::int64_t> Cursor::integer() {
  auto const token = read_integer(rest_);
  if (token.size == 0) {
    fail();
    return std::nullopt;
  }
  rest_ = rest_.subspan(token.size);
  return token.value;
}

std::optional<ByteView> Cursor::string() {
  auto const token = read_string(rest_);
  if (token.size == 0) {
    fail();
    return std::nullopt;
  }
  rest_ = rest_.subspan(token.size);
  return token.value;
}

bool Cursor::enter(std::uint8_t opener) {
  if (rest_.empty() || rest_[0] != opener || depth_ >= depth_max) return fail();
  rest_ = rest_.subspan(1);
  ++depth_;
  return true;
}

bool Cursor::enter_list() {
  return enter('l');
}

bool Cursor::enter_dictionary() {
  return enter('d');
}

bool Cursor::leave() {
  if (rest_.empty() || rest_[0] != 'e' || depth_ == 0) return fail();
  rest_ = rest_.subspan(1);
  --depth_;
  return true;
}

std::optional<ByteView> Cursor::skip() {
  if (peek() == Kind::string) {  // the usual case, without measure()'s state
    ByteView const start = rest_;
    if (!string()) return std::nullopt;
    return start.first(start.size() - rest_.size());
  }
  std::size_t const size = measure(rest_, depth_max - depth_, KeyOrder::any);
  if (size == 0) {
    fail();
    return std::nullopt;
  }
  ByteView const value = rest_.first(size);
  rest_ = rest_.subspan(size);
  return value;
}

bool is_canonical(ByteView input) {
  return !input.empty() && measure(input, depth_max, KeyOrder::ascending) == input.size();
}

void Writer::integer(std::int64_t value) {
  out_.push_back('i');
  append_decimal(out_, value, 'e');
}

void Writer::begin_string(std::size_t size) {
  append_decimal(out_, size, ':');
}

void Writer::string(ByteView value) {
  begin_string(value.size());
  base::append(out_, value);
}

Bytes encode_string(ByteView text) {
  Bytes out;
  out.reserve(text.size() + 8);
  Writer(out).string(text);
  return out;
}

std::optional<ByteView> parse_string(ByteView encoded) {
  auto const token = read_string(encoded);
  if (token.size == 0 || token.size != encoded.size()) return std::nullopt;
  return token.value;
}

}  // namespace dotkey::wire::bencode
