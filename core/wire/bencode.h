// SPDX-License-Identifier: Apache-2.0
// Bencode (BEP 3): a cursor that reads without allocating, and a writer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace dotkey::wire::bencode {

// Nesting deeper than this is refused.
inline constexpr int depth_max = 16;

enum class Kind : std::uint8_t { integer, string, list, dictionary, end, invalid };

// Reads one value after another. Integers and string lengths must be canonical (no leading zero,
// no "-0"). After the first malformed byte every read gives nullopt and ok() is false.
class Cursor {
 public:
  explicit Cursor(base::ByteView input) : rest_(input) {}

  // What stands next: `end` at an 'e' or at the end of input.
  [[nodiscard]] Kind peek() const;
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  std::optional<std::int64_t> integer();
  std::optional<base::ByteView> string();
  // Each enters a container; leave() consumes its 'e'.
  bool enter_list();
  bool enter_dictionary();
  bool leave();
  // Skips one whole value and gives its bytes, checked for form but not for the order of
  // dictionary keys.
  std::optional<base::ByteView> skip();

 private:
  bool fail();
  bool enter(std::uint8_t opener);
  base::ByteView rest_;
  bool ok_ = true;
  int depth_ = 0;
};

// True for exactly one value in canonical form: keys strictly ascending, nothing behind it. What a
// stored item must be, since its hash and signature are over these bytes.
bool is_canonical(base::ByteView input);

// Appends bencode. The caller opens and closes containers and keeps dictionary keys ascending.
class Writer {
 public:
  explicit Writer(base::Bytes& out) : out_(out) {}
  void integer(std::int64_t value);
  void string(base::ByteView value);
  void string(std::string_view value) { string(base::view_of(value)); }
  // The head of a string; its `size` bytes must follow.
  void begin_string(std::size_t size);
  void raw(base::ByteView encoded) { base::append(out_, encoded); }
  void begin_dictionary() { out_.push_back('d'); }
  void begin_list() { out_.push_back('l'); }
  void end() { out_.push_back('e'); }

 private:
  base::Bytes& out_;
};

// The byte string `text` as bencode: "5:hello".
base::Bytes encode_string(base::ByteView text);
// The reverse: the content when `encoded` is exactly one byte string, else nullopt.
std::optional<base::ByteView> parse_string(base::ByteView encoded);

}  // namespace dotkey::wire::bencode
