// SPDX-License-Identifier: Apache-2.0
// Dates of HTTP (RFC 9110 §5.6.7), both ways.
#include <gtest/gtest.h>

#include "core/relay/http.h"
#include "core/relay/types.h"

namespace dotkey::relay {
namespace {

TEST(http_date, dates_are_printed_as_imf_fixdate) {
  EXPECT_EQ(encode_http_date(UnixTime{784'111'777'999'999}), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(encode_http_date(UnixTime{0}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(encode_http_date(UnixTime{-5}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(encode_http_date(UnixTime{1'709'251'199'000'000}), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(http_date, all_three_forms_are_read) {
  UnixTime const today{1'700'000'000'000'000};
  UnixTime const expected{784'111'777'000'000};
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", today), expected);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", today), expected);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", today), expected);
}

TEST(http_date, what_is_no_date_is_refused) {
  UnixTime const today{1'700'000'000'000'000};
  for (char const* const text :
       {"", "0", "Sun, 06 Nov 1994 08:49:37", "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 2024 00:00:00 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Wed, 31 Dec 1969 23:59:59 GMT", "sun, 06 nov 1994 08:49:37 gmt"}) {
    EXPECT_FALSE(parse_http_date(text, today)) << text;
  }
}

TEST(http_date, every_day_of_two_centuries_comes_back) {
  for (std::int64_t day = 0; day < 73'000; ++day) {
    UnixTime const time{day * 86'400'000'000 + 1'000'000};
    ASSERT_EQ(parse_http_date(encode_http_date(time), time), time) << day;
  }
}

}  // namespace
}  // namespace dotkey::relay
