// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "host/channel/frame.h"
#include "host/channel/message.h"

namespace dotkey::host::channel {
namespace {

TEST(frame, is_read_whatever_the_stream_is_cut_into) {
  std::string stream;
  for (std::string const text : {"", "a", "hello"}) stream += encode_frame(text);
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    FrameReader reader;
    std::vector<std::string> read;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.append(base::view_of(std::string_view(stream).substr(at, piece)));
      while (auto const payload = reader.next()) read.emplace_back(*payload);
    }
    EXPECT_EQ(read, (std::vector<std::string>{"", "a", "hello"})) << piece;
    EXPECT_EQ(reader.pending(), 0U);
  }
}

TEST(frame, of_the_limit_is_read_and_one_byte_more_breaks_the_stream) {
  FrameReader reader;
  std::string const largest(frame_size_max, 'x');
  reader.append(base::view_of(encode_frame(largest)));
  EXPECT_EQ(reader.next(), largest);
  reader.append(base::Bytes{1, 0, 0x10, 0});
  EXPECT_EQ(reader.next(), std::nullopt);
  EXPECT_TRUE(reader.is_broken());
  reader.append(base::view_of(encode_frame("fine")));
  EXPECT_EQ(reader.next(), std::nullopt);
}

TEST(message, is_written_and_read_again) {
  Message message;
  EXPECT_EQ(parse_message(encode_message(7, "resolve", {{"key", "x"}}), message), std::nullopt);
  EXPECT_EQ(message.id, 7U);
  EXPECT_EQ(message.op, "resolve");
  EXPECT_EQ(text_at(message.body, "key"), "x");
  EXPECT_EQ(parse_message(R"({"v":1,"id":0,"op":"event"})", message), std::nullopt);
  EXPECT_TRUE(message.body.empty());
}

TEST(message, of_another_version_or_form_is_told_apart) {
  Message message;
  EXPECT_EQ(parse_message(R"({"v":2,"whatever":1})", message), Unfit::other_version);
  for (char const* text :
       {"", "{", "[]", "1", "null", R"({"v":"1","id":1,"op":"x"})", R"({"v":1,"op":"x"})",
        R"({"v":1,"id":-1,"op":"x"})", R"({"v":1,"id":1})", R"({"v":1,"id":1,"op":5})",
        R"({"v":1,"id":1,"op":"x","body":7})", R"({"v":1,"id":1e3,"op":"x"})",
        R"({"v":1,"id":18446744073709551615,"op":"x"})",
        R"({"v":1,"id":1,"op":"x"} )"
        "x"}) {
    EXPECT_EQ(parse_message(text, message), Unfit::malformed) << text;
  }
}

TEST(message, tells_of_errors_that_this_program_does_not_know) {
  auto const error = parse_error({{"error", "new.slug"}, {"advice", "Do this."}, {"detail", 5}});
  EXPECT_EQ(error.slug, "new.slug");
  EXPECT_EQ(error.advice, "Do this.");
  EXPECT_EQ(error.detail, "");
}

}  // namespace
}  // namespace dotkey::host::channel
