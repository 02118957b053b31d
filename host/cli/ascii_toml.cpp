// SPDX-License-Identifier: Apache-2.0
#include "host/cli/ascii_toml.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace dotkey::host::cli {
namespace {

struct Letter {
  std::uint32_t code = 0;
  std::size_t size = 0;  // in bytes
};

// The first letter of `text`, which begins with a byte from 0x80 on (RFC 3629 §4).
std::optional<Letter> parse_utf8(std::string_view text) {
  auto const byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
  std::uint8_t const first = byte(0);
  Letter out;
  out.size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < out.size) return std::nullopt;
  out.code = first & (0x7fU >> out.size);
  for (std::size_t i = 1; i < out.size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return std::nullopt;
    out.code = out.code << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  bool const surrogate = out.code >= 0xd800 && out.code <= 0xdfff;
  if (out.code < smallest[out.size] || surrogate || out.code > 0x10ffff) return std::nullopt;
  return out;
}

// "\U000000fc"
void append_escape(std::string& out, std::uint32_t code) {
  out += "\\U";
  for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[code >> shift & 0xf];
}

// Follows comments and strings; up to a file's first error as toml++ does.
class Quotes {
 public:
  [[nodiscard]] bool is_literal() const { return quote_.starts_with('\''); }

  // How many bytes at the beginning of `rest`, at least one, go on together.
  std::size_t step(std::string_view rest) {
    if (rest[0] == '\n') {
      if (quote_.size() < 3) quote_ = {};
      return 1;
    }
    return quote_.empty() ? step_outside(rest) : step_inside(rest);
  }

 private:
  std::size_t step_outside(std::string_view rest) {
    if (rest[0] == '#') quote_ = "\n";
    if (rest[0] != '"' && rest[0] != '\'') return 1;
    bool const is_long = rest.starts_with("\"\"\"") || rest.starts_with("'''");
    quote_ = rest.substr(0, is_long ? 3 : 1);
    return quote_.size();
  }

  std::size_t step_inside(std::string_view rest) {
    // What is escaped ends nothing; but an end of line is one, and a letter is looked at.
    bool const escape = quote_[0] == '"' && rest.size() > 1 && rest[0] == '\\' && rest[1] != '\n' &&
                        static_cast<std::uint8_t>(rest[1]) < 0x80;
    if (escape) return 2;
    if (!rest.starts_with(quote_)) return 1;
    // A long string may end in up to two quotes of its own.
    std::size_t const run = std::min(rest.find_first_not_of(quote_[0]), rest.size());
    std::size_t const size = quote_.size() < 3 ? 1 : std::min<std::size_t>(run, 5);
    quote_ = {};
    return size;
  }

  std::string_view quote_;  // what ends the string or comment; empty outside
};

}  // namespace

base::Result<std::string> escape_toml(std::string_view text) {
  std::string out;
  Quotes quotes;
  std::size_t line = 1;
  std::size_t line_start = 0;
  auto const fail_at = [&](std::size_t at, char const* reason) {
    return base::fail(base::ErrorCode::config_malformed,
                      "line " + std::to_string(line) + ", column " +
                          std::to_string(at - line_start + 1) + ": " + reason);
  };
  for (std::size_t at = 0; at < text.size();) {
    std::string_view const rest = text.substr(at);
    if (static_cast<std::uint8_t>(rest[0]) < 0x80) {
      std::size_t const size = quotes.step(rest);
      out += rest.substr(0, size);
      at += size;
      if (rest[0] != '\n') continue;
      ++line;
      line_start = at;
      continue;
    }
    auto const letter = parse_utf8(rest);
    if (!letter) return fail_at(at, "this is no UTF-8");
    if (quotes.is_literal()) return fail_at(at, "put text with this letter into double quotes");
    append_escape(out, letter->code);
    at += letter->size;
  }
  return out;
}

}  // namespace dotkey::host::cli
