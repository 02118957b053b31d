// SPDX-License-Identifier: Apache-2.0
#include "core/wire/zone_text.h"

#include <optional>

#include "core/base/text.h"
#include "core/wire/zone_lexer.h"

namespace dotkey::wire::dns {
namespace {

using base::Result;

class ZoneParser {
 public:
  ZoneParser(std::string_view text, Name const& origin) : lexer_(text), origin_(origin) {}

  Result<std::vector<ResourceRecord>> parse() {
    std::vector<ResourceRecord> out;
    for (;;) {
      auto more = lexer_.next(entry_);
      if (!more) return tl::unexpected(more.error());
      if (!*more) return out;
      if (is_directive()) {
        auto done = directive();
        if (!done) return tl::unexpected(done.error());
        continue;
      }
      if (out.size() == zone_records_max) {
        return lexer_.syntax_error(entry_.tokens[0], "more records than a zone may have");
      }
      auto next = record();
      if (!next) return tl::unexpected(next.error());
      out.push_back(std::move(*next));
    }
  }

  // The text holds exactly one record.
  Result<ResourceRecord> parse_one() {
    auto more = lexer_.next(entry_);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return lexer_.syntax_error(0, "a record is missing");
    if (is_directive()) return lexer_.syntax_error(entry_.tokens[0], "a directive is no record");
    entry_.owner_omitted = false;
    auto out = record();
    if (!out) return out;
    more = lexer_.next(entry_);
    if (!more) return tl::unexpected(more.error());
    if (*more) return lexer_.syntax_error(entry_.tokens[0], "more than one record");
    return out;
  }

 private:
  [[nodiscard]] bool is_directive() const {
    return !entry_.tokens[0].quoted && entry_.tokens[0].text.starts_with('$');
  }

  Result<void> directive() {
    Token const& word = entry_.tokens[0];
    std::string const directive = base::to_lower_ascii(word.text);
    if (directive == "$include") {
      return lexer_.syntax_error(word, "$INCLUDE is not allowed; put the records here");
    }
    if (directive != "$origin" && directive != "$ttl") {
      return lexer_.syntax_error(word, "an unknown directive; $ORIGIN and $TTL are known");
    }
    if (entry_.tokens.size() != 2) {
      return lexer_.syntax_error(word, "the directive takes exactly one value");
    }
    Token const& value = entry_.tokens[1];
    if (directive == "$ttl") {
      default_ttl_s_ = parse_ttl(value.text);
      if (default_ttl_s_) return {};
      return lexer_.syntax_error(value, "a TTL is a number of seconds, or like 1h30m");
    }
    auto name = Name::parse_relative(value.text, origin_);
    if (!name) return lexer_.syntax_error(value, name.error().detail);
    origin_ = std::move(*name);
    return {};
  }

  Result<ResourceRecord> record() {
    std::size_t at = 0;
    if (!entry_.owner_omitted) {
      Token const& word = entry_.tokens[at++];
      auto name = Name::parse_relative(word.text, origin_);
      if (!name) return lexer_.syntax_error(word, name.error().detail);
      owner_ = std::move(*name);
    } else if (!owner_) {
      return lexer_.syntax_error(entry_.tokens[0], "no record above names the owner");
    }
    ResourceRecord out;
    out.name = *owner_;
    auto const type = fields(at, out);
    if (!type) return tl::unexpected(type.error());
    out.type = *type;
    auto data = parse_record_data_text(out.type, lexer_, entry_, at, origin_);
    if (!data) return tl::unexpected(data.error());
    out.data = std::move(*data);
    return out;
  }

  // TTL and class in either order, each at most once, then the type; moves `at` behind it.
  Result<RecordType> fields(std::size_t& at, ResourceRecord& out) {
    std::optional<std::uint32_t> ttl_s;
    bool has_class = false;
    for (; at < entry_.tokens.size(); ++at) {
      Token const& word = entry_.tokens[at];
      bool const number = !word.text.empty() && word.text[0] >= '0' && word.text[0] <= '9';
      if (number && !ttl_s) {
        ttl_s = parse_ttl(word.text);
        if (!ttl_s) {
          return lexer_.syntax_error(word, "a TTL is a number of seconds, or like 1h30m");
        }
        continue;
      }
      auto const type = parse_record_type(word.text);
      if (type) {
        ++at;
        if (ttl_s) last_ttl_s_ = *ttl_s;
        out.ttl_s = ttl_s.value_or(default_ttl_s_.value_or(last_ttl_s_));
        return *type;
      }
      auto const record_class = parse_record_class(word.text);
      if (!record_class || has_class) return lexer_.syntax_error(word, "an unknown record type");
      out.record_class = *record_class;
      has_class = true;
    }
    return lexer_.syntax_error(entry_.end, "the record type is missing");
  }

  ZoneLexer lexer_;
  Entry entry_;
  Name origin_;
  std::optional<Name> owner_;
  std::optional<std::uint32_t> default_ttl_s_;  // $TTL
  std::uint32_t last_ttl_s_ = zone_ttl_default_s;
};

base::Failure too_long() {
  return base::fail(base::ErrorCode::zone_syntax, "line 1, column 1: the text is over 1 MiB");
}

}  // namespace

Result<std::vector<ResourceRecord>> parse_zone_text(std::string_view text, Name const& origin) {
  if (text.size() > zone_text_size_max) return too_long();
  return ZoneParser(text, origin).parse();
}

Result<ResourceRecord> parse_record_text(std::string_view text, Name const& origin) {
  if (text.size() > zone_text_size_max) return too_long();
  return ZoneParser(text, origin).parse_one();
}

std::string encode_zone_text(std::span<ResourceRecord const> records, Name const& origin) {
  std::string out = "$ORIGIN " + origin.to_string() + "\n";
  for (ResourceRecord const& record : records) {
    out += encode_record_text(record, origin);
    out += '\n';
  }
  return out;
}

std::string encode_record_text(ResourceRecord const& record, Name const& origin) {
  std::string out = record.name.to_string_relative(origin);
  out += ' ';
  out += std::to_string(record.ttl_s);
  if (record.record_class != RecordClass::in) {
    // By number: ANY and NONE would read as other things.
    out += " CLASS";
    out += std::to_string(static_cast<std::uint16_t>(record.record_class));
  }
  out += ' ';
  out += encode_record_type(record.type);
  out += ' ';
  out += encode_record_data_text(record.data);
  return out;
}

}  // namespace dotkey::wire::dns
