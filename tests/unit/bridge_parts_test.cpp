// SPDX-License-Identifier: Apache-2.0
// The bridge's parts: cookies, rates, the cache of answers and its keys.
#include <string>

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/bridge/answer_cache.h"
#include "core/bridge/cookie.h"
#include "core/bridge/rate_limit.h"

#include "tests/support/packets.h"

namespace dotkey::bridge {
namespace {

namespace dns = wire::dns;
using dns::RecordType;
using test::dns_name;

// RFC 9018, appendix A.1 and A.3.
TEST(cookie_baker, agrees_with_the_rfc) {
  crypto::ShortHashKey const secret{0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f,
                                    0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37, 0xbf, 0xcf};
  CookieBaker const baker(secret);
  auto const sent = base::parse_hex("2464c4abcf10c957").value();
  auto const client = base::IpAddress::v4({198, 51, 100, 100});
  UnixTime const then{1'559'731'985'000'000};
  Cookie const cookie = baker.bake(sent, client, then);
  EXPECT_EQ(base::encode_hex(cookie), "2464c4abcf10c957010000005cf79f111f8130c3eee29480");
  EXPECT_TRUE(baker.is_ours(cookie, client, then));
  EXPECT_TRUE(baker.is_ours(cookie, client, then + Duration::from_s(3600)));
  EXPECT_FALSE(baker.is_ours(cookie, client, then + Duration::from_s(3601)));
  EXPECT_TRUE(baker.is_ours(cookie, client, then - Duration::from_s(300)));
  EXPECT_FALSE(baker.is_ours(cookie, client, then - Duration::from_s(301)));
}

TEST(rate_limit, a_flood_of_networks_does_not_free_the_one_that_is_over) {
  RateLimit limit(10, 20, 1024, 42);
  Instant const now{1'000'000};
  auto const busy = base::IpAddress::v4({203, 0, 113, 0});
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(limit.take(now, busy));
  EXPECT_FALSE(limit.take(now, busy));
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    auto const byte = [i](int shift) { return static_cast<std::uint8_t>(i >> shift); };
    limit.take(now, base::IpAddress::v4({10, byte(16), byte(8), byte(0)}));
  }
  EXPECT_FALSE(limit.take(now, busy));
  EXPECT_TRUE(limit.take(now + Duration::from_ms(100), busy));
}

TEST(answer_cache, holds_no_more_than_it_may) {
  AnswerCacheSettings settings;
  settings.entries_max = 64;
  settings.bytes_max = 16'384;
  AnswerCache cache(settings);
  for (int i = 0; i < 1000; ++i) {
    QuestionKey const key(dns_name(std::to_string(i) + ".example"), RecordType::a, 5);
    Answer answer;
    answer.body.resize(500);
    cache.put(key, std::move(answer));
    ASSERT_NE(cache.find(key), nullptr);
    ASSERT_LE(cache.bytes(), settings.bytes_max);
    ASSERT_LE(cache.size(), 64U);
  }
  EXPECT_GT(cache.evictions(), 900U);
}

TEST(question_key, ignores_the_case_of_names_and_nothing_else) {
  auto const of = [](std::string_view name, RecordType type) {
    return QuestionKey(dns_name(name), type, 9);
  };
  EXPECT_EQ(of("WWW.Example", RecordType::a), of("www.exAMPLE", RecordType::a));
  EXPECT_EQ(of("WWW.Example", RecordType::a).hash(), of("www.exAMPLE", RecordType::a).hash());
  EXPECT_FALSE(of("www.example", RecordType::a) == of("www.example", RecordType::aaaa));
  // TYPE65 is 'A', TYPE97 is 'a'.
  EXPECT_FALSE(of("x", RecordType{65}) == of("x", RecordType{97}));
  EXPECT_FALSE(of("[", RecordType::a) == of("{", RecordType::a));
}

}  // namespace
}  // namespace dotkey::bridge
