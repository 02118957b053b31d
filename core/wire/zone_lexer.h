// SPDX-License-Identifier: Apache-2.0
// Cuts zone-file text (RFC 1035 §5.1) into entries of tokens: parentheses join lines, semicolons
// begin comments, quotes and backslashes keep their meaning for whoever reads the token.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace dotkey::wire::dns {

struct Token {
  std::string_view text;  // a piece of the input, escapes still in place, outer quotes removed
  bool quoted = false;
};

struct Entry {
  bool owner_omitted = false;  // the line begins with a blank
  std::vector<Token> tokens;   // at least one
  std::size_t end = 0;         // offset behind the last token, for errors about what is missing
};

class ZoneLexer {
 public:
  explicit ZoneLexer(std::string_view text) : text_(text) {}

  // The next entry that is not empty; false at the end. Errors: zone_syntax.
  base::Result<bool> next(Entry& out);

  // "line L, column C: why" for what stands at an offset or in a token; columns count characters.
  [[nodiscard]] base::Failure syntax_error(std::size_t offset, std::string_view why) const;
  [[nodiscard]] base::Failure syntax_error(Token const& token, std::string_view why) const;

 private:
  base::Result<Token> quoted();
  base::Result<Token> word();
  // Moves behind a character or an escape; false when a line ends inside the escape.
  bool skip_character();
  [[nodiscard]] base::Failure dangling_backslash() const;

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace dotkey::wire::dns
