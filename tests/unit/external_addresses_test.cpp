// SPDX-License-Identifier: Apache-2.0
// Records at our own address: placeholders, and which changes are worth publishing.
#include "host/cli/external_addresses.h"

#include <gtest/gtest.h>

#include "host/cli/zone_input.h"
#include "tests/support/packets.h"

namespace dotkey::host::cli {
namespace {

using engine::Duration;
using engine::Instant;

ExternalAddresses at(std::uint8_t last) {
  return {base::IpAddress::v4({203, 0, 113, last}), std::nullopt};
}

TEST(external_addresses, stand_where_placeholders_stood) {
  std::string const zone =
      "@ 300 A {external_ipv4}\n@ 300 AAAA {external_ipv6}\nwww 300 CNAME @\nlast A "
      "{external_ipv4}";
  EXPECT_TRUE(has_placeholder(zone));
  EXPECT_FALSE(has_placeholder("@ 300 A 192.0.2.1"));
  EXPECT_EQ(fill_in(zone, at(7)),
            "@ 300 A 203.0.113.7\n@ 300 AAAA {external_ipv6}\nwww 300 CNAME @\nlast A "
            "203.0.113.7");
  ExternalAddresses both = at(7);
  both.v6 = *base::IpAddress::parse("2001:db8::1");
  EXPECT_EQ(fill_in("@ AAAA {external_ipv6}\n", both), "@ AAAA 2001:db8::1\n");
  EXPECT_EQ(fill_in("", both), "");
}

TEST(external_addresses, that_are_not_known_have_no_record_and_others_keep_their_names) {
  auto const key = test::key_pair(1).public_key();
  RecordTexts const texts{
      "site.zone",
      "$TTL 300\n@ A 192.0.2.1\nwww AAAA {external_ipv6}\n    A {external_ipv4}\n"
      "    HTTPS 1 . ipv4hint={external_ipv4} ipv6hint={external_ipv6}\n",
      {"x 300 TXT \"ip6:{external_ipv6}\"", "y 300 TXT \"ip4:{external_ipv4}\""}};
  ASSERT_TRUE(has_placeholder(texts));
  auto const records = records_at(at(7), key, texts);
  ASSERT_TRUE(records) << records.error().detail;
  ASSERT_EQ(records->size(), 3U);
  EXPECT_EQ(records->at(1), test::a_record("www." + test::key_text(1), "203.0.113.7"));
  EXPECT_EQ(std::get<wire::dns::Txt>(records->at(2).data).joined(), "ip4:203.0.113.7");
  ExternalAddresses both = at(7);
  both.v6 = *base::IpAddress::parse("2001:db8::1");
  EXPECT_EQ(records_at(both, key, texts)->size(), 6U);
}

class AddressWatchTest : public testing::Test {
 protected:
  // Publishes at once where it may.
  bool look(ExternalAddresses const& seen) {
    now = now + watch.pause();
    bool const publishes = watch.on_look(now, seen);
    if (publishes) watch.on_published(now);
    return publishes;
  }

  Duration const interval = Duration::from_s(60);
  Instant now{1'000'000};
  AddressWatch watch{interval};
};

TEST_F(AddressWatchTest, two_looks_in_a_row_have_to_agree) {
  EXPECT_FALSE(look({}));
  EXPECT_FALSE(look({})) << "nobody has said anything";
  EXPECT_FALSE(look(at(1)));
  EXPECT_FALSE(look(at(2)));
  EXPECT_FALSE(look(at(1)));
  EXPECT_TRUE(look(at(1)));
  EXPECT_EQ(watch.confirmed(), at(1));
  EXPECT_FALSE(look(at(1)));
}

TEST_F(AddressWatchTest, a_change_is_looked_at_again_soon) {
  look(at(1));
  look(at(1));
  EXPECT_EQ(watch.pause(), interval);
  look(at(2));
  EXPECT_LT(watch.pause(), interval);
}

TEST_F(AddressWatchTest, an_address_that_flaps_is_published_rarely) {
  look(at(1));
  look(at(1));
  int published = 0;
  Instant const end = now + Duration::from_s(3600);
  for (std::uint8_t i = 2; now < end; ++i) {
    look(at(i));
    published += look(at(i)) ? 1 : 0;
  }
  EXPECT_GT(published, 5);
  EXPECT_LE(published, 3600 / (60 * AddressWatch::rest_intervals));
}

TEST_F(AddressWatchTest, what_failed_is_tried_again) {
  watch.on_look(now, at(1));
  EXPECT_TRUE(watch.on_look(now, at(1)));
  EXPECT_TRUE(watch.on_look(now, at(1))) << "nobody said that it was published";
}

TEST_F(AddressWatchTest, an_address_that_stays_is_published_again_before_nodes_forget_it) {
  look(at(1));
  look(at(1));
  int published = 0;
  Instant const end = now + Duration::from_s(4 * 3600);
  while (now < end) published += look(at(1)) ? 1 : 0;
  EXPECT_GE(published, 3);
  EXPECT_LE(published, 4);
}

TEST_F(AddressWatchTest, an_address_that_is_lost_leaves_what_was_published) {
  look(at(1));
  look(at(1));
  EXPECT_FALSE(look({}));
  EXPECT_FALSE(look({}));
  EXPECT_EQ(watch.confirmed(), at(1));
}

}  // namespace
}  // namespace dotkey::host::cli
