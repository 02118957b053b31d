// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <gtest/gtest.h>

#include "host/http/client_counts.h"
#include "host/http/request_head.h"

namespace dotkey::host::http {
namespace {

HeadVerdict verdict_of(std::string_view text) {
  RequestHead head;
  return parse_request_head(text, head);
}

TEST(http_request_head, a_request_is_taken_apart) {
  std::string const text =
      "PUT /key?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length:  7 \r\nIf-Match: 5\r\n\r\nbody...";
  RequestHead head;
  ASSERT_EQ(parse_request_head(text, head), HeadVerdict::complete);
  EXPECT_EQ(head.method, "PUT");
  EXPECT_EQ(head.target, "/key?x=1");
  EXPECT_EQ(head.content_length, 7U);
  EXPECT_EQ(head.size, text.size() - 7);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(head.fields().size(), 3U);
  EXPECT_EQ(head.fields()[2].value, "5");
}

TEST(http_request_head, no_prefix_of_a_request_is_complete) {
  std::string const text = "GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(verdict_of(text.substr(0, size)), HeadVerdict::incomplete) << size;
  }
  EXPECT_EQ(verdict_of(text), HeadVerdict::complete);
}

TEST(http_request_head, an_absolute_target_is_cut_to_its_path) {
  RequestHead head;
  ASSERT_EQ(parse_request_head("GET http://h:1/a?b HTTP/1.1\r\nHost: h\r\n\r\n", head),
            HeadVerdict::complete);
  EXPECT_EQ(head.target, "/a?b");
  ASSERT_EQ(parse_request_head("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", head),
            HeadVerdict::complete);
  EXPECT_EQ(head.target, "/");
}

TEST(http_request_head, connections_stay_open_as_each_version_has_it) {
  RequestHead head;
  ASSERT_EQ(parse_request_head("GET / HTTP/1.0\r\n\r\n", head), HeadVerdict::complete);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(parse_request_head("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", head),
            HeadVerdict::complete);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(parse_request_head("GET / HTTP/1.1\r\nHost: h\r\nConnection: te, Close\r\n\r\n", head),
            HeadVerdict::complete);
  EXPECT_FALSE(head.keep_alive);
}

TEST(client_counts, a_client_is_an_address_or_a_64_bit_network) {
  ClientCounts counts(1);
  auto const address = [](char const* text) { return *base::IpAddress::parse(text); };
  EXPECT_TRUE(counts.add(address("2001:db8::1"), 2));
  EXPECT_TRUE(counts.add(address("2001:db8::2"), 2));
  EXPECT_FALSE(counts.add(address("2001:db8::3"), 2));
  EXPECT_TRUE(counts.add(address("2001:db8:0:1::1"), 2));
  counts.remove(address("2001:db8::2"));
  EXPECT_TRUE(counts.add(address("2001:db8::4"), 2));
  EXPECT_TRUE(counts.add(address("192.0.2.1"), 1));
  EXPECT_FALSE(counts.add(address("192.0.2.1"), 1));
  EXPECT_TRUE(counts.add(address("192.0.2.2"), 1));
}

}  // namespace
}  // namespace dotkey::host::http
