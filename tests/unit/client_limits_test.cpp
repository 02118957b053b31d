// SPDX-License-Identifier: Apache-2.0
// How often a client may ask: quotas as they are written, and buckets in bounded memory.
#include "core/relay/client_limits.h"

#include <gtest/gtest.h>

namespace dotkey::relay {
namespace {

TEST(quota, it_is_written_as_in_pkarr) {
  struct Row {
    char const* text;
    std::uint32_t count;
    std::int64_t period_s;
  };
  for (Row const row :
       {Row{"2r/s", 2, 1}, Row{"100r/m", 100, 60}, Row{"1r/h", 1, 3600}, Row{"5r/d", 5, 86'400}}) {
    auto const quota = parse_quota(row.text);
    ASSERT_TRUE(quota) << row.text;
    EXPECT_EQ(quota->count, row.count);
    EXPECT_EQ(quota->burst, row.count);
    EXPECT_EQ(quota->period, Duration::from_s(row.period_s));
  }
  for (char const* const text :
       {"", "2", "2r", "2r/", "0r/s", "2r/w", "-1r/s", "2kb/s", "2r/ss", "99999999r/s"}) {
    EXPECT_FALSE(parse_quota(text)) << text;
  }
}

TEST(client_limits, the_steady_rate_is_kept_over_an_hour) {
  ClientLimits limits(Quota{2, Duration::from_s(1), 10}, 1);
  auto const client = base::IpAddress::v4({198, 51, 100, 1});
  std::uint32_t allowed = 0;
  for (int i = 0; i < 36'000; ++i) {
    if (limits.take(Instant{i * 100'000LL}, client).allowed) ++allowed;
  }
  EXPECT_GE(allowed, 7200U);
  EXPECT_LE(allowed, 7210U);
}

TEST(client_limits, many_addresses_stay_within_bounds) {
  ClientLimits limits(Quota{1, Duration::from_s(3600), 1}, 1);
  std::uint32_t allowed = 0;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    auto const client =
        base::IpAddress::v4({static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8),
                             static_cast<std::uint8_t>(i), 1});
    if (limits.take(Instant{i}, client).allowed) ++allowed;
  }
  EXPECT_EQ(allowed, ClientLimits::clients_max_default + 1) << "newcomers share one bucket";
}

}  // namespace
}  // namespace dotkey::relay
