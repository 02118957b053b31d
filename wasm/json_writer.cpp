// SPDX-License-Identifier: Apache-2.0
#include "wasm/json_writer.h"

#include <cstddef>

namespace dotkey::wasm {
namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

// The size of the well-formed UTF-8 sequence at `at` (RFC 3629 §4), or 0.
std::size_t sequence_size(std::string_view text, std::size_t at) {
  std::uint8_t const first = byte_at(text, at);
  if (first < 0x80) return 1;
  std::size_t const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + size > text.size()) return 0;
  std::uint8_t const second = byte_at(text, at + 1);
  bool const second_fits = (first != 0xe0 || second >= 0xa0) && (first != 0xed || second < 0xa0) &&
                           (first != 0xf0 || second >= 0x90) && (first != 0xf4 || second < 0x90);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte_at(text, at + i) & 0xc0) != 0x80) return 0;
  }
  return second_fits ? size : 0;
}

}  // namespace

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_quoted(name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  append_quoted(value);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value) {
  separate();
  out_ += std::to_string(value);
  return *this;
}

void JsonWriter::append_quoted(std::string_view value) {
  out_ += '"';
  for (std::size_t at = 0; at < value.size();) {
    std::uint8_t const byte = byte_at(value, at);
    std::size_t const size = sequence_size(value, at);
    if (size == 0) {
      out_ += replacement;
      ++at;
      continue;
    }
    if (byte < 0x20) {
      out_ += "\\u00";
      out_ += digits[byte >> 4];
      out_ += digits[byte & 15];
    } else {
      if (byte == '"' || byte == '\\') out_ += '\\';
      out_ += value.substr(at, size);
    }
    at += size;
  }
  out_ += '"';
}

}  // namespace dotkey::wasm
