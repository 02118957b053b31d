// SPDX-License-Identifier: Apache-2.0
// Big-endian integers in byte buffers, and decimal text that never overflows.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "core/base/bytes.h"

namespace dotkey::base {

// `bytes` holds at least sizeof(T) bytes at `offset`: the caller has checked.
template <std::unsigned_integral T>
T read_be(ByteView bytes, std::size_t offset = 0) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(static_cast<T>(value << 8) | bytes[offset + i]);
  }
  return value;
}

template <>
inline std::uint8_t read_be<std::uint8_t>(ByteView bytes, std::size_t offset) {
  return bytes[offset];
}

template <std::unsigned_integral T>
void write_be(std::uint8_t* out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<std::uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
  }
}

template <std::unsigned_integral T>
void append_be(Bytes& out, T value) {
  std::uint8_t buffer[sizeof(T)];
  write_be(buffer, value);
  out.insert(out.end(), buffer, buffer + sizeof(T));
}

// Decimal digits only (a leading '-' for signed T), the whole text, no overflow. Else nullopt.
template <std::integral T>
std::optional<T> parse_decimal(std::string_view text) {
  T value{};
  char const* const end = text.data() + text.size();
  auto const [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace dotkey::base
