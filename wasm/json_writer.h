// SPDX-License-Identifier: Apache-2.0
// Writes JSON (RFC 8259) straight into a string: the module's results. Boost.JSON would cost more
// than all of core/pin.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dotkey::wasm {

class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  // In an object, before its value.
  JsonWriter& key(std::string_view name);

  // Bytes that are no UTF-8 become U+FFFD: strangers' records may hold anything.
  JsonWriter& text(std::string_view value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  // Exact in JavaScript up to 2^53 - 1; microseconds since 1970 reach that in the year 2255.
  JsonWriter& number(std::int64_t value);

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();
  void append_quoted(std::string_view value);

  std::string out_;
  bool needs_comma_ = false;
};

}  // namespace dotkey::wasm
