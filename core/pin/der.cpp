// SPDX-License-Identifier: Apache-2.0
#include "core/pin/der.h"

#include <mbedtls/asn1.h>

namespace dotkey::pin {
namespace {

std::size_t shortest_header_size(std::size_t length) {
  if (length < 0x80) return 2;
  std::size_t size = 2;
  for (; length > 0; length >>= 8) ++size;
  return size;
}

std::optional<int> two_digits(base::ByteView text, std::size_t offset) {
  int value = 0;
  for (std::size_t i = offset; i < offset + 2; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

bool is_leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int days_in(int year, int month) {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

// Leap days in the years 1 to `year` of the proleptic Gregorian calendar.
std::int64_t leap_days(int year) {
  return year / 4 - year / 100 + year / 400;
}

std::int64_t days_since_1970(int year, int month, int day) {
  std::int64_t days =
      std::int64_t{365} * (year - 1970) + leap_days(year - 1) - leap_days(1969) + day - 1;
  for (int m = 1; m < month; ++m) days += days_in(year, m);
  return days;
}

// "MMDDHHMMSSZ" at `offset`, which is where the text ends but for these eleven bytes.
std::optional<std::int64_t> time_in_year(int year, base::ByteView text, std::size_t offset) {
  int fields[5];
  for (std::size_t i = 0; i < 5; ++i) {
    auto const field = two_digits(text, offset + 2 * i);
    if (!field) return std::nullopt;
    fields[i] = *field;
  }
  auto const [month, day, hour, minute, second] = fields;
  if (text[offset + 10] != 'Z' || month < 1 || month > 12 || day < 1 ||
      day > days_in(year, month) || hour > 23 || minute > 59 || second > 59) {
    return std::nullopt;
  }
  return ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

}  // namespace

std::optional<DerElement> DerReader::read_any() {
  // Tags of more than one byte do not occur in certificates.
  if (failed_ || rest_.empty() || (rest_.front() & 0x1f) == 0x1f) return fail();
  // mbedTLS 2.28 takes a pointer to mutable bytes but writes none.
  auto* const start = const_cast<unsigned char*>(rest_.data());
  auto* position = start;
  std::size_t length = 0;
  if (mbedtls_asn1_get_tag(&position, start + rest_.size(), &length, *start) != 0) return fail();
  auto const header_size = static_cast<std::size_t>(position - start);
  if (header_size != shortest_header_size(length)) return fail();
  DerElement const element{*start, rest_.subspan(header_size, length),
                           rest_.first(header_size + length)};
  rest_ = rest_.subspan(header_size + length);
  return element;
}

std::optional<DerElement> DerReader::read(std::uint8_t tag) {
  if (!next_is(tag)) return fail();
  return read_any();
}

std::optional<base::ByteView> DerReader::read_contents(std::uint8_t tag) {
  auto const element = read(tag);
  if (!element) return std::nullopt;
  return element->contents;
}

std::optional<base::ByteView> DerReader::read_integer() {
  auto const value = read_contents(der::integer);
  if (!value) return std::nullopt;
  if (value->empty()) return fail();
  if (value->size() > 1) {
    bool const next_is_high = ((*value)[1] & 0x80) != 0;
    if ((*value)[0] == (next_is_high ? 0xff : 0x00)) return fail();
  }
  return value;
}

std::optional<std::uint32_t> DerReader::read_small_integer() {
  auto const value = read_integer();
  if (!value) return std::nullopt;
  if (value->size() > 4 || ((*value)[0] & 0x80) != 0) return fail();
  std::uint32_t out = 0;
  for (std::uint8_t const byte : *value) out = out << 8 | byte;
  return out;
}

std::optional<bool> DerReader::read_boolean() {
  auto const value = read_contents(der::boolean);
  if (!value) return std::nullopt;
  if (value->size() != 1 || ((*value)[0] != 0x00 && (*value)[0] != 0xff)) return fail();
  return (*value)[0] == 0xff;
}

std::optional<base::ByteView> DerReader::read_whole_bits() {
  auto const value = read_contents(der::bit_string);
  if (!value) return std::nullopt;
  if (value->empty() || (*value)[0] != 0) return fail();
  return value->subspan(1);
}

std::optional<std::uint16_t> DerReader::read_named_bits() {
  auto const value = read_contents(der::bit_string);
  if (!value) return std::nullopt;
  if (value->empty() || value->size() > 3 || (*value)[0] > 7) return fail();
  if (value->size() == 1) {
    if ((*value)[0] != 0) return fail();
    return std::uint16_t{0};
  }
  unsigned const unused = (*value)[0];
  unsigned const last = value->back();
  if ((last & ((1U << unused) - 1)) != 0 || (last >> unused & 1U) == 0) return fail();
  unsigned bits = 0;
  for (std::size_t i = 0; i < (value->size() - 1) * 8; ++i) {
    if (((*value)[1 + i / 8] & (0x80U >> (i % 8))) != 0) bits |= 1U << i;
  }
  return static_cast<std::uint16_t>(bits);
}

std::optional<std::int64_t> DerReader::read_time_s() {
  bool const is_short = next_is(der::utc_time);
  auto const text = read_contents(is_short ? der::utc_time : der::generalized_time);
  if (!text) return std::nullopt;
  std::size_t const year_size = is_short ? 2 : 4;
  if (text->size() != year_size + 11) return fail();
  auto const high = two_digits(*text, 0);
  auto const low = two_digits(*text, year_size - 2);
  if (!high || !low) return fail();
  // RFC 5280 §4.1.2.5.1: two digits mean 1950 to 2049.
  int const year = is_short ? (*low < 50 ? 2000 : 1900) + *low : *high * 100 + *low;
  auto const time = year == 0 ? std::nullopt : time_in_year(year, *text, year_size);
  if (!time) return fail();
  return time;
}

}  // namespace dotkey::pin
