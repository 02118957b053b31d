// SPDX-License-Identifier: Apache-2.0
#include "core/relay/http.h"

#include <algorithm>
#include <array>

#include "core/base/integers.h"
#include "core/base/text.h"

namespace dotkey::relay {

using engine::UnixTime;

namespace {

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> long_days = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::int64_t seconds_a_day = 86'400;

struct Date {
  std::int64_t year = 1970;
  std::int64_t month = 1;  // 1..12
  std::int64_t day = 1;    // 1..31
};

// The proleptic Gregorian calendar in eras of 400 years that begin on 1 March, so that the leap day
// is the last of its year.
std::int64_t days_of(Date const& date) {
  std::int64_t const year = date.year - (date.month <= 2 ? 1 : 0);
  std::int64_t const era = year / 400;
  std::int64_t const year_of_era = year - era * 400;
  std::int64_t const month = (date.month + 9) % 12;  // March = 0
  std::int64_t const day_of_year = (153 * month + 2) / 5 + date.day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

// `count` ≥ 0: days since 1970-01-01.
Date date_of(std::int64_t count) {
  count += 719'468;
  std::int64_t const era = count / 146'097;
  std::int64_t const day_of_era = count - era * 146'097;
  std::int64_t const year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  std::int64_t const day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  std::int64_t const month = (5 * day_of_year + 2) / 153;
  Date out;
  out.day = day_of_year - (153 * month + 2) / 5 + 1;
  out.month = month < 10 ? month + 3 : month - 9;
  out.year = era * 400 + year_of_era + (out.month <= 2 ? 1 : 0);
  return out;
}

void append_digits(std::string& out, std::int64_t value, std::size_t width) {
  std::size_t const at = out.size();
  out.append(width, '0');
  for (std::size_t i = width; i > 0; --i) {
    out[at + i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// Reads a date from its front; every step fails once one has failed.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  void skip(std::string_view expected) {
    if (rest_.starts_with(expected)) {
      rest_.remove_prefix(expected.size());
    } else {
      failed_ = true;
    }
  }
  template <std::size_t N>
  std::int64_t one_of(std::array<std::string_view, N> const& names) {
    for (std::size_t i = 0; i < N; ++i) {
      if (!rest_.starts_with(names[i])) continue;
      rest_.remove_prefix(names[i].size());
      return static_cast<std::int64_t>(i);
    }
    failed_ = true;
    return 0;
  }
  std::int64_t digits(std::size_t width) {
    std::string_view const field = rest_.substr(0, width);
    auto const value = base::parse_decimal<std::uint16_t>(field);
    if (field.size() != width || !value) {
      failed_ = true;
      return 0;
    }
    rest_.remove_prefix(width);
    return *value;
  }
  [[nodiscard]] bool done() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

struct DateTime {
  Date date;
  std::int64_t second_of_day = 0;
  std::int64_t weekday = 0;
};

std::int64_t read_time(DateReader& reader) {
  std::int64_t const hour = reader.digits(2);
  reader.skip(":");
  std::int64_t const minute = reader.digits(2);
  reader.skip(":");
  std::int64_t const second = reader.digits(2);
  // A leap second counts as the one before it: Unix time has none.
  if (hour > 23 || minute > 59 || second > 60) return -1;
  return hour * 3600 + minute * 60 + std::min<std::int64_t>(second, 59);
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
bool read_imf_fixdate(std::string_view text, DateTime& out) {
  DateReader reader(text);
  out.weekday = reader.one_of(days);
  reader.skip(", ");
  out.date.day = reader.digits(2);
  reader.skip(" ");
  out.date.month = reader.one_of(months) + 1;
  reader.skip(" ");
  out.date.year = reader.digits(4);
  reader.skip(" ");
  out.second_of_day = read_time(reader);
  reader.skip(" GMT");
  return reader.done();
}

// "Sunday, 06-Nov-94 08:49:37 GMT"; a year that looks more than 50 years ahead is in the past.
bool read_rfc850(std::string_view text, DateTime& out, UnixTime now) {
  DateReader reader(text);
  out.weekday = reader.one_of(long_days);
  reader.skip(", ");
  out.date.day = reader.digits(2);
  reader.skip("-");
  out.date.month = reader.one_of(months) + 1;
  reader.skip("-");
  std::int64_t const year = reader.digits(2);
  reader.skip(" ");
  out.second_of_day = read_time(reader);
  reader.skip(" GMT");
  std::int64_t const this_year =
      date_of(std::max<std::int64_t>(now.us, 0) / 1'000'000 / seconds_a_day).year;
  out.date.year = this_year / 100 * 100 + year;
  if (out.date.year > this_year + 50) out.date.year -= 100;
  return reader.done();
}

// "Sun Nov  6 08:49:37 1994"
bool read_asctime(std::string_view text, DateTime& out) {
  DateReader reader(text);
  out.weekday = reader.one_of(days);
  reader.skip(" ");
  out.date.month = reader.one_of(months) + 1;
  reader.skip(" ");
  if (text.size() > 8 && text[8] == ' ') {
    reader.skip(" ");
    out.date.day = reader.digits(1);
  } else {
    out.date.day = reader.digits(2);
  }
  reader.skip(" ");
  out.second_of_day = read_time(reader);
  reader.skip(" ");
  out.date.year = reader.digits(4);
  return reader.done();
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<std::string_view> find_header(std::span<HeaderView const> headers,
                                            std::string_view name) {
  auto const same_letter = [](char a, char b) {
    auto const lower = [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return lower(a) == lower(b);
  };
  for (HeaderView const& header : headers) {
    if (std::equal(header.name.begin(), header.name.end(), name.begin(), name.end(), same_letter)) {
      return trim(header.value);
    }
  }
  return std::nullopt;
}

void append_http_date(std::string& out, UnixTime time) {
  std::int64_t const seconds =
      std::clamp<std::int64_t>(time.us / 1'000'000, 0, 253'402'300'799);  // up to the year 9999
  std::int64_t const day_count = seconds / seconds_a_day;
  std::int64_t const second = seconds % seconds_a_day;
  Date const date = date_of(day_count);
  out += days[static_cast<std::size_t>((day_count + 4) % 7)];  // 1970-01-01 was a Thursday
  out += ", ";
  append_digits(out, date.day, 2);
  out += ' ';
  out += months[static_cast<std::size_t>(date.month - 1)];
  out += ' ';
  append_digits(out, date.year, 4);
  out += ' ';
  append_digits(out, second / 3600, 2);
  out += ':';
  append_digits(out, second / 60 % 60, 2);
  out += ':';
  append_digits(out, second % 60, 2);
  out += " GMT";
}

std::string encode_http_date(UnixTime time) {
  std::string out;
  append_http_date(out, time);
  return out;
}

std::optional<UnixTime> parse_http_date(std::string_view text, UnixTime now) {
  DateTime read;
  if (!read_imf_fixdate(text, read) && !read_rfc850(text, read, now) && !read_asctime(text, read)) {
    return std::nullopt;
  }
  if (read.second_of_day < 0 || read.date.year < 1970) return std::nullopt;
  std::int64_t const count = days_of(read.date);
  Date const same = date_of(count);
  // A day that its month does not have turns into one of the next.
  if (same.day != read.date.day || same.month != read.date.month) return std::nullopt;
  if ((count + 4) % 7 != read.weekday) return std::nullopt;
  return UnixTime{(count * seconds_a_day + read.second_of_day) * 1'000'000};
}

}  // namespace dotkey::relay
