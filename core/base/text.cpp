// SPDX-License-Identifier: Apache-2.0
#include "core/base/text.h"

#include <array>
#include <cstdint>

namespace dotkey::base {
namespace {

constexpr std::uint8_t invalid = 0xff;

constexpr std::array<std::uint8_t, 256> inverse_of(std::string_view alphabet) {
  std::array<std::uint8_t, 256> table{};
  for (auto& entry : table) entry = invalid;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

constexpr std::string_view zbase32_alphabet = "ybndrfg8ejkmcpqxot1uwisza345h769";
constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr auto zbase32_inverse = inverse_of(zbase32_alphabet);
constexpr auto base64_inverse = inverse_of(base64_alphabet);
constexpr auto base64url_inverse = inverse_of(base64url_alphabet);

// Packs `bytes` into groups of `bits_each`, most significant bits first.
std::string encode_groups(ByteView bytes, unsigned bits_each, std::string_view alphabet) {
  std::string out;
  out.reserve((bytes.size() * 8 + bits_each - 1) / bits_each);
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  unsigned const mask = (1U << bits_each) - 1;
  for (std::uint8_t const byte : bytes) {
    buffer = (buffer << 8 | byte) & 0xffffff;
    bits += 8;
    while (bits >= bits_each) {
      bits -= bits_each;
      out.push_back(alphabet[buffer >> bits & mask]);
    }
  }
  if (bits > 0) out.push_back(alphabet[buffer << (bits_each - bits) & mask]);
  return out;
}

struct Groups {
  Bytes bytes;
  unsigned spare_bits = 0;   // how many bits were left over
  unsigned spare_value = 0;  // and what they held
};

std::optional<Groups> parse_groups(std::string_view text, unsigned bits_each,
                                   std::array<std::uint8_t, 256> const& inverse) {
  Groups out;
  out.bytes.reserve(text.size() * bits_each / 8);
  std::uint32_t buffer = 0;
  for (char const c : text) {
    std::uint8_t const value = inverse[static_cast<std::uint8_t>(c)];
    if (value == invalid) return std::nullopt;
    buffer = (buffer << bits_each | value) & 0xffffff;
    out.spare_bits += bits_each;
    if (out.spare_bits >= 8) {
      out.spare_bits -= 8;
      out.bytes.push_back(static_cast<std::uint8_t>(buffer >> out.spare_bits));
    }
  }
  out.spare_value = buffer & ((1U << out.spare_bits) - 1);
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string encode_hex(ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (std::uint8_t const byte : bytes) {
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
  }
  return out;
}

Result<Bytes> parse_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(ErrorCode::hex_malformed, "odd number of digits");
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int const high = hex_digit(text[i]);
    int const low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) {
      return fail(ErrorCode::hex_malformed, "no hex digit near character " + std::to_string(i + 1));
    }
    out.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return out;
}

std::string encode_base64(ByteView bytes, Base64Alphabet alphabet) {
  bool const url = alphabet == Base64Alphabet::url;
  std::string out = encode_groups(bytes, 6, url ? base64url_alphabet : base64_alphabet);
  if (!url) out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

Result<Bytes> parse_base64(std::string_view text, Base64Alphabet alphabet) {
  std::size_t const padded_size = text.size();
  while (!text.empty() && text.back() == '=' && padded_size - text.size() < 2) {
    text.remove_suffix(1);
  }
  if (padded_size != text.size() && padded_size % 4 != 0) return fail(ErrorCode::base64_malformed);
  bool const url = alphabet == Base64Alphabet::url;
  auto groups = parse_groups(text, 6, url ? base64url_inverse : base64_inverse);
  if (!groups || groups->spare_bits >= 6 || groups->spare_value != 0) {
    return fail(ErrorCode::base64_malformed);
  }
  return std::move(groups->bytes);
}

std::string encode_zbase32(ByteView bytes) {
  return encode_groups(bytes, 5, zbase32_alphabet);
}

Result<Bytes> parse_zbase32(std::string_view text) {
  auto groups = parse_groups(text, 5, zbase32_inverse);
  if (!groups || groups->spare_bits >= 5) return fail(ErrorCode::key_malformed);
  return std::move(groups->bytes);
}

std::string to_lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace dotkey::base
