// SPDX-License-Identifier: Apache-2.0
// A strict DER reader (X.690 §10) over mbedTLS's ASN.1 functions, which alone would take some BER.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/bytes.h"

namespace dotkey::pin {

namespace der {

inline constexpr std::uint8_t boolean = 0x01;
inline constexpr std::uint8_t integer = 0x02;
inline constexpr std::uint8_t bit_string = 0x03;
inline constexpr std::uint8_t octet_string = 0x04;
inline constexpr std::uint8_t null = 0x05;
inline constexpr std::uint8_t oid = 0x06;
inline constexpr std::uint8_t utc_time = 0x17;
inline constexpr std::uint8_t generalized_time = 0x18;
inline constexpr std::uint8_t sequence = 0x30;
inline constexpr std::uint8_t set = 0x31;

constexpr std::uint8_t context(std::uint8_t number) {
  return static_cast<std::uint8_t>(0x80 | number);
}
constexpr std::uint8_t context_constructed(std::uint8_t number) {
  return static_cast<std::uint8_t>(0xa0 | number);
}

}  // namespace der

struct DerElement {
  std::uint8_t tag = 0;
  base::ByteView contents;
  base::ByteView raw;  // tag, length and contents
};

// Walks the elements of one constructed value. After the first malformed element every read fails
// and at_end() stays false, so a caller may check once at its end. Views point into the input.
class DerReader {
 public:
  explicit DerReader(base::ByteView bytes) : rest_(bytes) {}

  [[nodiscard]] bool at_end() const { return !failed_ && rest_.empty(); }
  [[nodiscard]] bool next_is(std::uint8_t tag) const {
    return !failed_ && !rest_.empty() && rest_.front() == tag;
  }

  // One element with a single-byte tag and a definite length in its shortest form.
  std::optional<DerElement> read_any();
  std::optional<DerElement> read(std::uint8_t tag);
  // The contents of an element with this tag.
  std::optional<base::ByteView> read_contents(std::uint8_t tag);

  // Two's complement in its shortest form, of any length.
  std::optional<base::ByteView> read_integer();
  // 0 to 2^31 - 1.
  std::optional<std::uint32_t> read_small_integer();
  // 0x00 or 0xff.
  std::optional<bool> read_boolean();
  // The bytes of a BIT STRING without unused bits: a key, a signature.
  std::optional<base::ByteView> read_whole_bits();
  // Up to 16 named bits, bit 0 as the lowest (RFC 5280 §4.2.1.3). Trailing zero bits are refused
  // (X.690 §11.2.2).
  std::optional<std::uint16_t> read_named_bits();
  // UTCTime or GeneralizedTime in the forms of RFC 5280 §4.1.2.5: seconds, 'Z', no fraction.
  // Returns seconds since 1970-01-01 UTC.
  std::optional<std::int64_t> read_time_s();

 private:
  std::nullopt_t fail() {
    failed_ = true;
    return std::nullopt;
  }

  base::ByteView rest_;
  bool failed_ = false;
};

}  // namespace dotkey::pin
