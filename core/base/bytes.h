// SPDX-License-Identifier: Apache-2.0
// Bytes, views of bytes, and strongly typed byte strings of fixed length.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace dotkey::base {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<std::uint8_t const>;

inline ByteView view_of(std::string_view text) {
  return {reinterpret_cast<std::uint8_t const*>(text.data()), text.size()};
}

inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

inline Bytes to_bytes(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

inline Bytes to_bytes(std::string_view text) {
  return to_bytes(view_of(text));
}

inline void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

inline void append(Bytes& out, std::string_view text) {
  append(out, view_of(text));
}

inline bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

// Lexicographic order of unsigned bytes; a proper prefix sorts first.
inline std::strong_ordering compare(ByteView a, ByteView b) {
  std::size_t const common = std::min(a.size(), b.size());
  int const order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  if (order != 0) return order < 0 ? std::strong_ordering::less : std::strong_ordering::greater;
  return a.size() <=> b.size();
}

// A byte string of exactly N bytes that converts to no other kind: a NodeId is never a key.
template <std::size_t N, class Tag>
struct FixedBytes {
  static constexpr std::size_t size = N;
  std::array<std::uint8_t, N> bytes{};

  [[nodiscard]] ByteView view() const { return bytes; }
  [[nodiscard]] static std::optional<FixedBytes> from(ByteView source) {
    if (source.size() != N) return std::nullopt;
    FixedBytes out;
    std::copy(source.begin(), source.end(), out.bytes.begin());
    return out;
  }
  friend bool operator==(FixedBytes const& a, FixedBytes const& b) { return a.bytes == b.bytes; }
  friend bool operator<(FixedBytes const& a, FixedBytes const& b) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), N) < 0;
  }
};

// For unordered containers. The bytes are hashes or keys; a peer may still choose them, so the
// caller mixes in a secret `key` where an attacker could aim for collisions.
template <std::size_t N, class Tag>
std::uint64_t hash_of(FixedBytes<N, Tag> const& value, std::uint64_t key = 0) {
  std::uint64_t h = 0x9e3779b97f4a7c15ULL ^ key;
  for (std::size_t i = 0; i < N; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, value.bytes.data() + i, std::min<std::size_t>(8, N - i));
    h = (h ^ word) * 0xff51afd7ed558ccdULL;
    h ^= h >> 32;
  }
  return h;
}

struct HashFixedBytes {
  template <std::size_t N, class Tag>
  std::size_t operator()(FixedBytes<N, Tag> const& value) const {
    return static_cast<std::size_t>(hash_of(value));
  }
};

}  // namespace dotkey::base
