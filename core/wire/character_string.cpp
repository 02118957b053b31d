// SPDX-License-Identifier: Apache-2.0
#include "core/wire/character_string.h"

#include <cstdint>

#include "core/base/endpoint.h"

namespace dotkey::wire::dns {
namespace {

using base::IpAddress;

constexpr std::uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::optional<char> read_escaped(std::string_view text, std::size_t& at) {
  if (text[at] != '\\') return text[at++];
  if (at + 1 >= text.size()) return std::nullopt;
  if (!is_digit(text[at + 1])) {
    at += 2;
    return text[at - 1];
  }
  if (at + 3 >= text.size() || !is_digit(text[at + 2]) || !is_digit(text[at + 3])) {
    return std::nullopt;
  }
  int const value = (text[at + 1] - '0') * 100 + (text[at + 2] - '0') * 10 + (text[at + 3] - '0');
  at += 4;
  if (value > 255) return std::nullopt;
  return static_cast<char>(value);
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    auto const c = read_escaped(text, at);
    if (!c) return std::nullopt;
    out += *c;
  }
  return out;
}

void append_decimal_escape(std::string& out, char c) {
  auto const byte = static_cast<std::uint8_t>(c);
  out += '\\';
  out += static_cast<char>('0' + byte / 100);
  out += static_cast<char>('0' + byte / 10 % 10);
  out += static_cast<char>('0' + byte % 10);
}

std::string encode_quoted(std::string_view text) {
  std::string out = "\"";
  for (char const c : text) {
    auto const byte = static_cast<std::uint8_t>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      append_decimal_escape(out, c);
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::optional<base::Bytes> parse_address_bytes(std::string_view text, bool ipv4) {
  bool const has_colon = text.find(':') != std::string_view::npos;
  auto const address = IpAddress::parse(text);
  if (!address || has_colon == ipv4) return std::nullopt;
  base::Bytes out;
  if (!ipv4 && address->is_v4()) base::append(out, base::ByteView(mapped_prefix));
  base::append(out, address->bytes());
  return out;
}

std::string encode_address_bytes(base::ByteView bytes) {
  std::string const text = IpAddress::from_bytes(bytes)->to_string();
  bool const mapped = bytes.size() == 16 && text.find(':') == std::string::npos;
  return mapped ? "::ffff:" + text : text;
}

}  // namespace dotkey::wire::dns
