// SPDX-License-Identifier: Apache-2.0
#include "core/wire/dns_name.h"

#include <algorithm>

#include "core/wire/character_string.h"

namespace dotkey::wire::dns {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::uint8_t pointer_mask = 0xc0;  // RFC 1035 §4.1.4

constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Length bytes are at most 63, below any letter, so whole wire forms compare like labels.
bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return to_lower(x) == to_lower(y);
         });
}

std::string_view text_of_wire(Name const& name) {
  return base::text_of(name.wire());
}

void append_escaped(std::string& out, std::string_view label) {
  for (char const c : label) {
    auto const byte = static_cast<std::uint8_t>(c);
    if (byte <= 0x20 || byte >= 0x7f) {
      append_decimal_escape(out, c);
      continue;
    }
    // What the zone-file syntax gives a meaning to.
    if (std::string_view(".\\\"();@$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
}

auto invalid(std::string_view text, char const* why) {
  return fail(ErrorCode::dns_name_invalid, std::string(text.substr(0, 300)) + ": " + why);
}

}  // namespace

Result<Name> Name::parse(std::string_view text) {
  return parse_relative(text == "@" ? "\\@" : text, Name());
}

Result<Name> Name::parse_relative(std::string_view text, Name const& origin) {
  if (text == "@") return origin;
  if (text == "." || (text.empty() && origin.is_root())) return Name();
  std::string wire;
  std::size_t length_at = 0;  // where the length byte of the open label stands
  bool absolute = false;
  wire.push_back('\0');
  for (std::size_t at = 0; at < text.size();) {
    std::size_t const label_size = wire.size() - length_at - 1;
    if (text[at] == '.') {
      if (label_size == 0) return invalid(text, "an empty label");
      wire[length_at] = static_cast<char>(label_size);
      length_at = wire.size();
      wire.push_back('\0');
      absolute = ++at == text.size();
      continue;
    }
    auto const c = read_escaped(text, at);
    if (!c) return invalid(text, "a broken escape");
    if (label_size == label_size_max) return invalid(text, "a label over 63 bytes");
    if (wire.size() >= size_max) return invalid(text, "a name over 255 bytes");
    wire.push_back(*c);
  }
  if (absolute && wire.size() > size_max) return invalid(text, "a name over 255 bytes");
  if (absolute) return Name(std::move(wire));
  if (text.empty()) return invalid(text, "an empty name");
  wire[length_at] = static_cast<char>(wire.size() - length_at - 1);
  wire += origin.wire_;
  if (wire.size() > size_max) return invalid(text, "a name over 255 bytes");
  return Name(std::move(wire));
}

Result<Name> Name::parse_wire(base::ByteView wire) {
  std::size_t at = 0;
  while (at < wire.size() && wire[at] != 0 && wire[at] <= label_size_max) at += 1U + wire[at];
  if (at + 1 != wire.size() || wire[at] != 0 || wire.size() > size_max) {
    return fail(ErrorCode::dns_name_invalid);
  }
  return Name(std::string(base::text_of(wire)));
}

Result<Name> Name::from_labels(std::span<std::string_view const> labels) {
  std::string wire;
  for (std::string_view const label : labels) {
    if (label.empty() || label.size() > label_size_max) return fail(ErrorCode::dns_name_invalid);
    wire.push_back(static_cast<char>(label.size()));
    wire += label;
    if (wire.size() >= size_max) return fail(ErrorCode::dns_name_invalid);
  }
  wire.push_back('\0');
  return Name(std::move(wire));
}

std::size_t Name::label_count() const {
  std::size_t count = 0;
  for_each_label([&](std::string_view) { ++count; });
  return count;
}

std::string_view Name::first_label() const {
  return std::string_view(wire_).substr(1, static_cast<std::uint8_t>(wire_[0]));
}

std::string_view Name::last_label() const {
  std::string_view last;
  for_each_label([&](std::string_view label) { last = label; });
  return last;
}

bool Name::is_subdomain_of(Name const& ancestor) const {
  if (ancestor.wire_.size() > wire_.size()) return false;
  std::size_t const start = wire_.size() - ancestor.wire_.size();
  std::size_t at = 0;
  while (at < start) at += 1U + static_cast<std::uint8_t>(wire_[at]);
  // The suffix must begin at a label, not inside one.
  return at == start && equal_ignoring_case(std::string_view(wire_).substr(start), ancestor.wire_);
}

Name Name::parent() const {
  if (is_root()) return Name();
  return Name(wire_.substr(1U + static_cast<std::uint8_t>(wire_[0])));
}

Result<Name> Name::append(Name const& suffix) const {
  if (wire_.size() - 1 + suffix.wire_.size() > size_max) {
    return invalid(to_string(), "a name over 255 bytes with its suffix");
  }
  return Name(wire_.substr(0, wire_.size() - 1) + suffix.wire_);
}

Name Name::to_lower() const {
  Name out = *this;
  std::transform(wire_.begin(), wire_.end(), out.wire_.begin(), dns::to_lower);
  return out;
}

std::string Name::to_string() const {
  if (is_root()) return ".";
  std::string out;
  out.reserve(wire_.size());
  for_each_label([&](std::string_view label) {
    append_escaped(out, label);
    out += '.';
  });
  return out;
}

std::string Name::to_string_relative(Name const& origin) const {
  if (*this == origin) return "@";
  if (origin.is_root() || !is_subdomain_of(origin)) return to_string();
  std::string out;
  std::size_t const kept = wire_.size() - origin.wire_.size();
  for (std::size_t at = 0; at < kept;) {
    std::size_t const size = static_cast<std::uint8_t>(wire_[at]);
    if (at > 0) out += '.';
    append_escaped(out, std::string_view(wire_).substr(at + 1, size));
    at += 1 + size;
  }
  return out;
}

bool operator==(Name const& a, Name const& b) {
  return equal_ignoring_case(a.wire_, b.wire_);
}

bool operator<(Name const& a, Name const& b) {
  return std::lexicographical_compare(
      a.wire_.begin(), a.wire_.end(), b.wire_.begin(), b.wire_.end(), [](char x, char y) {
        return static_cast<std::uint8_t>(to_lower(x)) < static_cast<std::uint8_t>(to_lower(y));
      });
}

std::size_t HashName::operator()(Name const& name) const {
  std::uint64_t hash = 0xcbf29ce484222325ULL ^ key;  // FNV-1a
  for (char const c : text_of_wire(name)) {
    hash = (hash ^ static_cast<std::uint8_t>(to_lower(c))) * 0x100000001b3ULL;
  }
  return static_cast<std::size_t>(hash ^ hash >> 32);
}

Result<Name> NameReader::read(std::size_t& offset, std::size_t end) const {
  char buffer[Name::size_max];
  std::size_t size = 0;
  std::size_t at = offset;
  std::size_t segment = offset;  // where the labels being read began; the next pointer goes below
  bool jumped = false;
  for (;;) {
    if (at >= end) return fail(ErrorCode::dns_malformed, "a name is cut short");
    std::uint8_t const length = message_[at];
    if (length <= Name::label_size_max) {
      std::size_t const step = 1U + length;
      if (step > end - at) return fail(ErrorCode::dns_malformed, "a label is cut short");
      if (size + step > Name::size_max)
        return fail(ErrorCode::dns_malformed, "a name over 255 bytes");
      std::copy_n(message_.begin() + static_cast<std::ptrdiff_t>(at), step, buffer + size);
      size += step;
      at += step;
      if (length == 0) break;
      continue;
    }
    if ((length & pointer_mask) != pointer_mask) {
      return fail(ErrorCode::dns_malformed, "a label type that RFC 6891 retired");
    }
    if (end - at < 2) return fail(ErrorCode::dns_malformed, "a pointer is cut short");
    std::size_t const target =
        static_cast<std::size_t>(length & ~pointer_mask) << 8 | message_[at + 1];
    if (target >= segment) return fail(ErrorCode::dns_malformed, "a pointer that points forward");
    if (!jumped) offset = at + 2;
    jumped = true;
    segment = at = target;
    end = message_.size();
  }
  if (!jumped) offset = at;
  return Name(std::string(buffer, size));
}

}  // namespace dotkey::wire::dns
