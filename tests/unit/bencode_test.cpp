// SPDX-License-Identifier: Apache-2.0
#include "core/wire/bencode.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace dotkey::wire::bencode {
namespace {

using base::Bytes;
using base::text_of;
using base::view_of;

std::string nested_lists(int depth) {
  return std::string(static_cast<std::size_t>(depth), 'l') +
         std::string(static_cast<std::size_t>(depth), 'e');
}

TEST(bencode, integers_span_all_of_int64_and_not_more) {
  auto const read = [](std::string_view text) { return Cursor(view_of(text)).integer(); };
  EXPECT_EQ(read("i0e"), 0);
  EXPECT_EQ(read("i-42e"), -42);
  EXPECT_EQ(read("i9223372036854775807e"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(read("i-9223372036854775808e"), std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(read("i9223372036854775808e"));
  EXPECT_FALSE(read("i-9223372036854775809e"));
  EXPECT_FALSE(read("i99999999999999999999999e"));
}

TEST(bencode, integers_in_other_than_canonical_form_are_refused) {
  for (auto const* text :
       {"ie", "i-e", "i-0e", "i00e", "i03e", "i-03e", "i1", "i 1e", "i+1e", "1e", "i"}) {
    EXPECT_FALSE(Cursor(view_of(text)).integer()) << text;
  }
}

TEST(bencode, a_string_is_a_view_of_the_input) {
  std::string const text = "5:helloi7e";
  Cursor cursor(view_of(text));
  auto const string = cursor.string();
  EXPECT_EQ(text_of(string.value()), "hello");
  EXPECT_EQ(static_cast<void const*>(string->data()), text.data() + 2);
  EXPECT_EQ(cursor.integer(), 7);
  EXPECT_TRUE(cursor.at_end());
}

TEST(bencode, a_string_with_a_leading_zero_or_a_length_past_the_end_is_refused) {
  for (auto const* text : {"05:hello", "00:", "6:hello", "-1:a", ":a", "5hello", "5", "",
                           "18446744073709551617:a", "99999999999999999999999999:a"}) {
    EXPECT_FALSE(Cursor(view_of(text)).string()) << text;
    EXPECT_FALSE(parse_string(view_of(text))) << text;
  }
  EXPECT_EQ(Cursor(view_of("0:")).string()->size(), 0U);
}

TEST(bencode, after_the_first_malformed_byte_nothing_is_read) {
  Cursor cursor(view_of("i01ei2e"));
  EXPECT_FALSE(cursor.integer());
  EXPECT_FALSE(cursor.ok());
  EXPECT_EQ(cursor.peek(), Kind::invalid);
  EXPECT_FALSE(cursor.integer());
  EXPECT_FALSE(cursor.string());
  EXPECT_FALSE(cursor.skip());
  EXPECT_FALSE(cursor.enter_list());
}

TEST(bencode, containers_are_entered_and_left) {
  Cursor cursor(
      view_of("d1:ali1ei2ee1:bde"
              "e"));
  EXPECT_EQ(cursor.peek(), Kind::dictionary);
  ASSERT_TRUE(cursor.enter_dictionary());
  EXPECT_EQ(text_of(cursor.string().value()), "a");
  ASSERT_TRUE(cursor.enter_list());
  EXPECT_EQ(cursor.integer(), 1);
  EXPECT_EQ(cursor.integer(), 2);
  EXPECT_EQ(cursor.peek(), Kind::end);
  ASSERT_TRUE(cursor.leave());
  EXPECT_EQ(text_of(cursor.string().value()), "b");
  EXPECT_EQ(text_of(cursor.skip().value()), "de");
  EXPECT_TRUE(cursor.leave());
  EXPECT_TRUE(cursor.at_end());
  EXPECT_FALSE(cursor.leave()) << "nothing is open";
}

TEST(bencode, skip_takes_one_whole_value_and_checks_its_form) {
  EXPECT_EQ(text_of(Cursor(view_of("d1:bi1e1:ald0:0:eeerest")).skip().value()),
            "d1:bi1e1:ald0:0:eee");
  for (auto const* text : {"d", "l", "e", "de1:", "d1:ae", "di1ei2ee", "dlei1ee", "d1:ai01ee",
                           "l1:", "x", "d1:a1:b1:ce"}) {
    Cursor cursor(view_of(text));
    auto const value = cursor.skip();
    EXPECT_TRUE(!value || text_of(*value) == "de") << text;
  }
}

TEST(bencode, nesting_is_bounded) {
  EXPECT_TRUE(Cursor(view_of(nested_lists(depth_max))).skip());
  EXPECT_FALSE(Cursor(view_of(nested_lists(depth_max + 1))).skip());
  EXPECT_FALSE(is_canonical(view_of(nested_lists(depth_max + 1))));
  EXPECT_FALSE(Cursor(view_of(nested_lists(100'000))).skip());

  std::string const entered = nested_lists(depth_max);
  Cursor cursor(view_of(entered));
  for (int i = 0; i < depth_max - 1; ++i) ASSERT_TRUE(cursor.enter_list());
  EXPECT_EQ(text_of(cursor.skip().value()), "le") << "the levels entered count";
}

TEST(bencode, canonical_means_ascending_keys_and_nothing_behind) {
  for (auto const* text : {"i1e", "0:", "le", "de", "d1:ai1e1:bi2ee", "d1:ai1e2:aai2ee",
                           "d0:i1e1:ai2ee", "ld1:ai1eed1:ai1eee"}) {
    EXPECT_TRUE(is_canonical(view_of(text))) << text;
  }
  for (auto const* text : {"", "d1:bi1e1:ai2ee", "d1:ai1e1:ai2ee", "i1ei2e", "i1e ", "d1:ae",
                           "ld1:bi1e1:ai1eee", "02:ab"}) {
    EXPECT_FALSE(is_canonical(view_of(text))) << text;
  }
}

TEST(bencode, what_the_writer_appends_is_canonical) {
  Bytes out;
  Writer writer(out);
  writer.begin_dictionary();
  writer.string("a");
  writer.integer(std::numeric_limits<std::int64_t>::min());
  writer.string("b");
  writer.begin_list();
  writer.raw(view_of("le"));
  writer.begin_string(2);
  writer.raw(view_of("xy"));
  writer.end();
  writer.end();
  EXPECT_EQ(text_of(out), "d1:ai-9223372036854775808e1:blle2:xyee");
  EXPECT_TRUE(is_canonical(out));
}

TEST(bencode, a_byte_string_survives_the_round_trip_alone) {
  EXPECT_EQ(text_of(encode_string(view_of("hello"))), "5:hello");
  EXPECT_EQ(text_of(parse_string(view_of("5:hello")).value()), "hello");
  EXPECT_FALSE(parse_string(view_of("5:hello!")));
  EXPECT_FALSE(parse_string(view_of("i1e")));
}

}  // namespace
}  // namespace dotkey::wire::bencode
