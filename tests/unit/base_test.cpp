// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/base/endpoint.h"
#include "core/base/integers.h"
#include "core/base/ip_prefix.h"
#include "core/base/text.h"

namespace dotkey::base {
namespace {

TEST(text, hex_refuses_odd_and_foreign_digits) {
  EXPECT_EQ(parse_hex("00ffA1").value(), (Bytes{0, 255, 0xa1}));
  EXPECT_FALSE(parse_hex("0"));
  EXPECT_FALSE(parse_hex("0g"));
}

TEST(text, base64_pads_only_in_the_standard_alphabet) {
  Bytes const bytes{0xfb, 0xff};
  EXPECT_EQ(encode_base64(bytes, Base64Alphabet::standard), "+/8=");
  EXPECT_EQ(encode_base64(bytes, Base64Alphabet::url), "-_8");
  EXPECT_EQ(parse_base64("+/8=", Base64Alphabet::standard).value(), bytes);
  EXPECT_EQ(parse_base64("-_8", Base64Alphabet::url).value(), bytes);
  EXPECT_FALSE(parse_base64("-_9", Base64Alphabet::url)) << "non-zero spare bits";
  EXPECT_FALSE(parse_base64("A", Base64Alphabet::url)) << "six bits are no byte";
}

TEST(text, zbase32_refuses_upper_case) {
  EXPECT_EQ(encode_zbase32(Bytes{0, 0}), "yyyy");
  EXPECT_TRUE(parse_zbase32("yyyy"));
  EXPECT_FALSE(parse_zbase32("YYYY"));
}

TEST(integers, decimal_text_never_overflows) {
  EXPECT_EQ(parse_decimal<std::uint8_t>("255"), 255);
  EXPECT_FALSE(parse_decimal<std::uint8_t>("256"));
  EXPECT_FALSE(parse_decimal<std::uint8_t>(""));
  EXPECT_FALSE(parse_decimal<std::uint8_t>("1 "));
  EXPECT_EQ(parse_decimal<std::int64_t>("-5"), -5);
}

TEST(endpoint, addresses_survive_a_round_trip_in_canonical_spelling) {
  for (auto const* text : {"192.0.2.1", "::", "::1", "2001:db8::1", "fe80::1:0:0:2", "1::"}) {
    EXPECT_EQ(IpAddress::parse(text).value().to_string(), text);
  }
  EXPECT_EQ(IpAddress::parse("2001:DB8:0:0:0:0:0:1").value().to_string(), "2001:db8::1");
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1").value().to_string(), "192.0.2.1");
  for (auto const* text : {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", ":::", "1::2::3",
                           "1:2", "::1%lo", "1:2:3:4:5:6:7:8:9", "1.2.3.4:5"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(endpoint, endpoints_need_brackets_around_ipv6_and_a_port) {
  EXPECT_EQ(Endpoint::parse("[::1]:80").value().to_string(), "[::1]:80");
  EXPECT_EQ(Endpoint::parse("127.0.0.1:6881").value().port, 6881);
  for (auto const* text :
       {"127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:80", "[127.0.0.1]:1"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

TEST(endpoint, only_routable_addresses_are_global) {
  for (auto const* text : {"8.8.8.8", "2606:4700::1111"}) {
    EXPECT_TRUE(IpAddress::parse(text)->is_global()) << text;
  }
  for (auto const* text :
       {"0.0.0.0", "10.1.1.1", "127.0.0.1", "169.254.1.1", "172.31.0.1", "192.168.1.1",
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00::1", "ff02::1",
        "2001:db8::1", "64:ff9b::7f00:1", "2002:7f00:1::"}) {
    EXPECT_FALSE(IpAddress::parse(text)->is_global()) << text;
  }
}

TEST(ip_prefix, holds_the_addresses_that_begin_with_it) {
  auto const prefix = IpPrefix::parse("192.0.2.128/25").value();
  EXPECT_TRUE(prefix.contains(IpAddress::parse("192.0.2.200").value()));
  EXPECT_FALSE(prefix.contains(IpAddress::parse("192.0.2.100").value()));
  EXPECT_EQ(prefix.to_string(), "192.0.2.128/25");
  auto const wide = IpPrefix::parse("2001:db8::/33").value();
  EXPECT_TRUE(wide.contains(IpAddress::parse("2001:db8:7fff::1").value()));
  EXPECT_FALSE(wide.contains(IpAddress::parse("2001:db8:8000::1").value()));
  EXPECT_FALSE(IpPrefix::parse("0.0.0.0/0")->contains(IpAddress::parse("::1").value()));
  EXPECT_EQ(IpPrefix::parse("192.0.2.1")->bits(), 32);
}

TEST(ip_prefix, a_slip_of_the_pen_is_refused) {
  for (auto const* text : {"192.0.2.1/24", "192.0.2.0/33", "2001:db8::/129", "192.0.2.0/", "/8",
                           "192.0.2.0/-1", "", "192.0.2.0/24/8"}) {
    EXPECT_FALSE(IpPrefix::parse(text)) << text;
  }
}

}  // namespace
}  // namespace dotkey::base
