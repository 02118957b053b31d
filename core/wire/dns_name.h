// SPDX-License-Identifier: Apache-2.0
// Domain names (RFC 1035 §3.1), kept in wire form without compression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace dotkey::wire::dns {

// An absolute name. Case is kept; comparison ignores the case of ASCII letters (RFC 4343).
class Name {
 public:
  static constexpr std::size_t size_max = 255;       // wire form, with the root's zero byte
  static constexpr std::size_t label_size_max = 63;  // RFC 1035 §2.3.4

  Name() : wire_(1, '\0') {}  // the root, "."

  // Presentation form, with `\.` and `\ddd` escapes (RFC 1035 §5.1); the final dot may be missing.
  // "" and "." are the root. Errors: dns_name_invalid.
  static base::Result<Name> parse(std::string_view text);
  // The same, but a name without a final dot is relative to `origin`, and "@" is the origin.
  static base::Result<Name> parse_relative(std::string_view text, Name const& origin);
  // Exactly one uncompressed name. Errors: dns_name_invalid.
  static base::Result<Name> parse_wire(base::ByteView wire);
  // Labels as raw bytes, most specific first, without the root. Errors: dns_name_invalid.
  static base::Result<Name> from_labels(std::span<std::string_view const> labels);

  // Length-prefixed labels and the final zero.
  [[nodiscard]] base::ByteView wire() const { return base::view_of(wire_); }
  [[nodiscard]] bool is_root() const { return wire_.size() == 1; }
  [[nodiscard]] bool is_wildcard() const { return wire_.size() > 2 && wire_.starts_with("\1*"); }
  // The root has none.
  [[nodiscard]] std::size_t label_count() const;
  [[nodiscard]] std::string_view first_label() const;  // "" for the root
  [[nodiscard]] std::string_view last_label() const;   // "" for the root
  // True for the name itself and everything below it.
  [[nodiscard]] bool is_subdomain_of(Name const& ancestor) const;
  // Without its first label; the root is its own parent.
  [[nodiscard]] Name parent() const;
  // This name's labels, then those of `suffix`. Errors: dns_name_invalid when too long.
  [[nodiscard]] base::Result<Name> append(Name const& suffix) const;
  [[nodiscard]] Name to_lower() const;
  // Presentation form with the final dot.
  [[nodiscard]] std::string to_string() const;
  // Presentation form relative to `origin`: "www", "@"; absolute when not below it.
  [[nodiscard]] std::string to_string_relative(Name const& origin) const;

  // Calls `visit(std::string_view label)` for each label, most specific first.
  template <class Visit>
  void for_each_label(Visit visit) const {
    for (std::size_t at = 0; wire_[at] != 0;) {
      std::size_t const size = static_cast<std::uint8_t>(wire_[at]);
      visit(std::string_view(wire_).substr(at + 1, size));
      at += 1 + size;
    }
  }

  // Also true where the case of letters differs; compare wire() for the same bytes.
  friend bool operator==(Name const& a, Name const& b);
  // Some total order that agrees with ==, for ordered containers.
  friend bool operator<(Name const& a, Name const& b);

 private:
  friend class NameReader;
  explicit Name(std::string wire) : wire_(std::move(wire)) {}

  std::string wire_;
};

// For unordered containers; agrees with ==. `key` is a secret where peers choose the names.
struct HashName {
  std::uint64_t key = 0;
  std::size_t operator()(Name const& name) const;
};

// Reads names out of a message: follows compression pointers, which must point strictly backwards
// (RFC 1035 §4.1.4), so that a name has an end.
class NameReader {
 public:
  explicit NameReader(base::ByteView message) : message_(message) {}
  // The name at `offset`; moves `offset` behind it. Reads no byte at or behind `end` before the
  // first pointer. Errors: dns_malformed.
  base::Result<Name> read(std::size_t& offset, std::size_t end) const;

 private:
  base::ByteView message_;
};

}  // namespace dotkey::wire::dns
