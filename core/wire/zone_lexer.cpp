// SPDX-License-Identifier: Apache-2.0
#include "core/wire/zone_lexer.h"

#include <algorithm>

namespace dotkey::wire::dns {
namespace {

using base::Result;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool ends_word(char c) {
  return is_blank(c) || c == '\n' || c == ';' || c == '(' || c == ')';
}

}  // namespace

Result<bool> ZoneLexer::next(Entry& out) {
  out.tokens.clear();
  std::size_t opened_at = 0;
  bool open = false;
  bool at_line_start = true;
  while (at_ < text_.size()) {
    char const c = text_[at_];
    if (at_line_start && !open) out.owner_omitted = is_blank(c);
    at_line_start = false;
    if (is_blank(c)) {
      ++at_;
    } else if (c == '\n') {
      ++at_;
      if (!open && !out.tokens.empty()) return true;
      at_line_start = true;
    } else if (c == ';') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == '(') {
      if (open) return syntax_error(at_, "a parenthesis inside a parenthesis");
      open = true;
      opened_at = at_++;
    } else if (c == ')') {
      if (!open) return syntax_error(at_, "a closing parenthesis without an opening one");
      open = false;
      ++at_;
    } else {
      auto token = c == '"' ? quoted() : word();
      if (!token) return tl::unexpected(token.error());
      out.tokens.push_back(*token);
      out.end = at_;
    }
  }
  if (open) return syntax_error(opened_at, "the parenthesis is not closed");
  return !out.tokens.empty();
}

Result<Token> ZoneLexer::quoted() {
  std::size_t const start = ++at_;
  while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
    if (!skip_character()) return dangling_backslash();
  }
  if (at_ == text_.size() || text_[at_] == '\n') {
    return syntax_error(start - 1, "the quoted string does not end on its line");
  }
  Token const token{text_.substr(start, at_ - start), true};
  ++at_;
  if (at_ < text_.size() && !ends_word(text_[at_])) {
    return syntax_error(at_, "a blank must follow a quoted string");
  }
  return token;
}

Result<Token> ZoneLexer::word() {
  std::size_t const start = at_;
  while (at_ < text_.size() && !ends_word(text_[at_])) {
    if (text_[at_] == '"') {  // key="value" of SVCB
      auto const value = quoted();
      if (!value) return value;
    } else if (!skip_character()) {
      return dangling_backslash();
    }
  }
  return Token{text_.substr(start, at_ - start), false};
}

bool ZoneLexer::skip_character() {
  if (text_[at_++] != '\\') return true;
  if (at_ == text_.size() || text_[at_] == '\n' || text_[at_] == '\r') return false;
  ++at_;
  return true;
}

base::Failure ZoneLexer::dangling_backslash() const {
  return syntax_error(at_ - 1, "a backslash ends the line; nothing is left for it to escape");
}

base::Failure ZoneLexer::syntax_error(std::size_t offset, std::string_view why) const {
  std::string_view const before = text_.substr(0, offset);
  auto const line = 1 + std::count(before.begin(), before.end(), '\n');
  std::size_t const line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  std::string_view const left = before.substr(line_start);
  // Bytes that continue a UTF-8 character are not counted.
  auto const column = 1 + std::count_if(left.begin(), left.end(), [](char c) {
                        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
                      });
  std::string detail = "line ";
  detail += std::to_string(line);
  detail += ", column ";
  detail += std::to_string(column);
  detail += ": ";
  detail += why;
  return base::fail(base::ErrorCode::zone_syntax, std::move(detail));
}

base::Failure ZoneLexer::syntax_error(Token const& token, std::string_view why) const {
  auto const offset = static_cast<std::size_t>(token.text.data() - text_.data());
  return syntax_error(token.quoted ? offset - 1 : offset, why);
}

}  // namespace dotkey::wire::dns
