// SPDX-License-Identifier: Apache-2.0
// The relay client against scripted relays, row by row of facts/pkarr.md §2 and §3.
#include "tests/unit/relay_client_fixture.h"

namespace dotkey::relay {
namespace {

TEST_F(RelayClientTest, a_get_asks_every_relay_at_once_with_the_policy) {
  ASSERT_TRUE(client.get(now, key, {Policy::cache_first, {}}));
  auto const one = take_fetch("one.example");
  auto const two = take_fetch("two.example");
  EXPECT_EQ(one.url, "https://one.example/" + key_text(1) + "?policy=CacheFirst");
  EXPECT_EQ(two.url, "https://two.example/pkarr/" + key_text(1) + "?policy=CacheFirst");
  EXPECT_EQ(one.method, Method::get);
  EXPECT_EQ(one.response_size_max, 1072U);
  EXPECT_TRUE(one.headers.empty());
}

TEST_F(RelayClientTest, network_only_passes_http_caches) {
  ASSERT_TRUE(client.get(now, key, {Policy::network_only, {}}));
  auto const fetch = take_fetch();
  EXPECT_NE(fetch.url.find("?policy=NetworkOnly"), std::string::npos);
  EXPECT_EQ(header_of(fetch, "Cache-Control"), "no-cache, no-store, must-revalidate");
}

TEST_F(RelayClientTest, a_verified_packet_is_found_with_the_time_the_relay_saw_it) {
  auto const seen = encode_http_date(UnixTime{stamp_us + 30'000'000});
  auto const outcome = get_once({200, {{"Memento-Datetime", seen}}, payload_of(packet)});
  EXPECT_FALSE(outcome.error);
  ASSERT_TRUE(outcome.packet);
  EXPECT_EQ(*outcome.packet, packet);
  EXPECT_EQ(outcome.last_seen.us / 1'000'000, (stamp_us + 30'000'000) / 1'000'000);
  ASSERT_EQ(found_packets.size(), 1U);
  EXPECT_EQ(found_packets[0].packet, packet);
}

TEST_F(RelayClientTest, a_future_malformed_or_missing_memento_datetime_means_now) {
  for (std::string const& text :
       {encode_http_date(now.unix_time + Duration::from_s(3600)), std::string("yesterday")}) {
    auto const outcome = get_once({200, {{"memento-datetime", text}}, payload_of(packet)});
    EXPECT_EQ(outcome.last_seen, now.unix_time) << text;
  }
  EXPECT_EQ(get_once({200, {}, payload_of(packet)}).last_seen, now.unix_time);
}

TEST_F(RelayClientTest, a_lower_bound_goes_out_as_if_modified_since_cut_to_the_second) {
  use_one_relay();
  ASSERT_TRUE(client.get(now, key, {Policy::cache_first, stamp_us}));
  EXPECT_EQ(header_of(take_fetch(), "If-Modified-Since"), "Mon, 04 Mar 2024 16:50:04 GMT");
}

TEST_F(RelayClientTest, not_modified_means_nothing_newer) {
  auto const outcome = get_once({304, {}, {}}, {Policy::cache_first, stamp_us});
  EXPECT_FALSE(outcome.error);
  EXPECT_FALSE(outcome.packet);
  EXPECT_EQ(outcome.count(RelayVerdict::not_newer), 1U);
}

TEST_F(RelayClientTest, an_impossible_not_modified_is_asked_again_past_caches_once) {
  use_one_relay();
  ASSERT_TRUE(client.get(now, key, {}));
  answer(take_fetch(), {304, {}, {}});
  auto const again = take_fetch();
  EXPECT_TRUE(header_of(again, "Cache-Control"));
  answer(again, {304, {}, {}});
  EXPECT_EQ(take_outcome().error, ErrorCode::relay_response_malformed);
}

TEST_F(RelayClientTest, an_empty_200_of_old_relays_is_asked_again_without_the_header) {
  use_one_relay();
  ASSERT_TRUE(client.get(now, key, {Policy::cache_first, stamp_us - 5'000'000}));
  auto const first = take_fetch();
  EXPECT_TRUE(header_of(first, "If-Modified-Since"));
  answer(first, {200, {}, {}});
  auto const second = take_fetch();
  EXPECT_FALSE(header_of(second, "If-Modified-Since"));
  answer(second, {200, {}, payload_of(packet)});
  EXPECT_EQ(take_outcome().packet, packet);
}

TEST_F(RelayClientTest, a_200_that_stays_empty_fails) {
  use_one_relay();
  ASSERT_TRUE(client.get(now, key, {}));
  answer(take_fetch(), {200, {}, {}});
  answer(take_fetch(), {200, {}, {}});
  EXPECT_EQ(take_outcome().error, ErrorCode::relay_payload_invalid);
}

TEST_F(RelayClientTest, each_status_of_a_get_means_one_thing) {
  struct Row {
    std::uint16_t status;
    std::vector<HeaderView> headers;
    std::optional<ErrorCode> error;
    RelayVerdict verdict;
  };
  std::vector<Row> const rows = {
      {404, {}, ErrorCode::relay_not_found, RelayVerdict::not_found},
      {404,
       {{"Pkarr-Invalid-Signed-Packet-Seq", "12"}},
       ErrorCode::relay_not_found,
       RelayVerdict::invalid_packet},
      {404,
       {{"Pkarr-Invalid-Signed-Packet-Seq", "x"}},
       ErrorCode::relay_response_malformed,
       RelayVerdict::failed},
      {404,
       {{"Pkarr-Invalid-Signed-Packet-Seq", "-1"}},
       ErrorCode::relay_response_malformed,
       RelayVerdict::failed},
      {400, {}, ErrorCode::relay_refused, RelayVerdict::failed},
      {429, {}, ErrorCode::relay_rate_limited, RelayVerdict::failed},
      {500, {}, ErrorCode::relay_dht_unavailable, RelayVerdict::failed},
      {503, {}, ErrorCode::relay_dht_unavailable, RelayVerdict::failed},
      {302, {}, ErrorCode::relay_redirected, RelayVerdict::failed},
      {418, {}, ErrorCode::relay_response_malformed, RelayVerdict::failed},
  };
  for (Row const& row : rows) {
    SCOPED_TRACE(row.status);
    auto const outcome = get_once({row.status, row.headers, {}});
    EXPECT_EQ(outcome.error, row.error);
    ASSERT_EQ(outcome.relays.size(), 1U);
    EXPECT_EQ(outcome.relays[0].verdict, row.verdict);
    client = Client(ClientSettings{}, entropy);
  }
}

TEST_F(RelayClientTest, an_invalid_item_counts_only_above_the_lower_bound) {
  GetOptions const options{Policy::cache_first, 100};
  auto const at = get_once({404, {{"pkarr-invalid-signed-packet-seq", "100"}}, {}}, options);
  EXPECT_EQ(at.count(RelayVerdict::not_found), 1U);
  EXPECT_FALSE(at.invalid_timestamp);
  auto const above = get_once({404, {{"pkarr-invalid-signed-packet-seq", "101"}}, {}}, options);
  EXPECT_EQ(above.invalid_timestamp, 101);
}

TEST_F(RelayClientTest, a_relay_that_lies_is_found_out) {
  auto const other = packet_of(2, stamp_us, {});
  auto changed = payload_of(packet);
  changed.back() ^= 1;
  Bytes const large(1073, 0);
  Bytes const tiny(71, 0);
  struct Row {
    Bytes body;
    ErrorCode error;
  };
  for (Row const& row :
       {Row{payload_of(other), ErrorCode::relay_payload_invalid},
        Row{changed, ErrorCode::relay_payload_invalid}, Row{tiny, ErrorCode::relay_payload_invalid},
        Row{large, ErrorCode::relay_response_too_large}}) {
    auto const outcome = get_once({200, {}, row.body});
    EXPECT_EQ(outcome.error, row.error);
    EXPECT_FALSE(outcome.packet);
    EXPECT_EQ(client.status()[0].health.consecutive_failures(), 1U);
    client = Client(ClientSettings{}, entropy);
  }
}

TEST_F(RelayClientTest, an_older_packet_than_asked_for_is_not_taken) {
  auto const outcome = get_once({200, {}, payload_of(packet)}, {Policy::cache_first, stamp_us + 1});
  EXPECT_FALSE(outcome.packet);
  EXPECT_EQ(outcome.count(RelayVerdict::not_newer), 1U);
}

TEST_F(RelayClientTest, the_newest_of_several_relays_wins) {
  auto const newer = packet_of(1, stamp_us + 1, {});
  ASSERT_TRUE(client.get(now, key, {}));
  auto const one = take_fetch("one.example");
  auto const two = take_fetch("two.example");
  answer(two, {200, {}, payload_of(newer)});
  EXPECT_TRUE(finished.empty());
  answer(one, {200, {}, payload_of(packet)});
  EXPECT_EQ(take_outcome().packet, newer);
  EXPECT_EQ(found_packets.size(), 1U);
}

TEST_F(RelayClientTest, fetch_failures_have_their_own_errors) {
  struct Row {
    FetchFailure failure;
    ErrorCode error;
  };
  for (Row const row : {Row{FetchFailure::unreachable, ErrorCode::relay_unreachable},
                        {FetchFailure::timed_out, ErrorCode::relay_timeout},
                        {FetchFailure::malformed, ErrorCode::relay_response_malformed},
                        {FetchFailure::too_large, ErrorCode::relay_response_too_large},
                        {FetchFailure::redirected, ErrorCode::relay_redirected}}) {
    client = Client(ClientSettings{}, entropy);
    use_one_relay();
    ASSERT_TRUE(client.get(now, key, {}));
    client.on_fetch_failed(now, take_fetch().id, row.failure);
    EXPECT_EQ(take_outcome().error, row.error);
  }
}

TEST_F(RelayClientTest, a_driver_that_never_answers_is_given_up_on) {
  use_one_relay();
  ASSERT_TRUE(client.get(now, key, {}));
  auto const fetch = take_fetch();
  ASSERT_TRUE(client.next_deadline());
  now.instant = *client.next_deadline();
  client.on_deadline(now);
  EXPECT_EQ(take_outcome().error, ErrorCode::relay_timeout);
  EXPECT_EQ(cancelled, std::vector{fetch.id});
  EXPECT_FALSE(client.next_deadline());
}

TEST_F(RelayClientTest, a_relay_that_failed_last_is_asked_but_not_waited_for) {
  ASSERT_TRUE(client.get(now, key, {}));
  client.on_fetch_failed(now, take_fetch("one.example").id, FetchFailure::timed_out);
  answer(take_fetch("two.example"), {200, {}, payload_of(packet)});
  EXPECT_TRUE(take_outcome().packet);

  now.instant = now.instant + Duration::from_s(10);  // its rest is over
  ASSERT_TRUE(client.get(now, key, {}));
  auto const sick = take_fetch("one.example");
  answer(take_fetch("two.example"), {200, {}, payload_of(packet)});
  auto const outcome = take_outcome();
  EXPECT_TRUE(outcome.packet);
  EXPECT_EQ(outcome.count(RelayVerdict::waiting), 1U);
  answer(sick, {404, {}, {}});  // it still gets its good name back
  EXPECT_EQ(client.status()[0].health.consecutive_failures(), 0U);
}

TEST_F(RelayClientTest, a_silent_relay_is_not_waited_for_long_once_another_has_answered) {
  ASSERT_TRUE(client.get(now, key, {}));
  auto const silent = take_fetch("one.example");
  answer(take_fetch("two.example"), {200, {}, payload_of(packet)});
  EXPECT_TRUE(finished.empty());
  ASSERT_EQ(client.next_deadline(), now.instant + Duration::from_ms(500));
  now.instant = *client.next_deadline();
  client.on_deadline(now);
  auto const outcome = take_outcome();
  EXPECT_EQ(outcome.packet, packet);
  EXPECT_EQ(outcome.count(RelayVerdict::waiting), 1U);
  // Its time-out is held against it all the same.
  client.on_fetch_failed(now, silent.id, FetchFailure::timed_out);
  EXPECT_EQ(client.status()[0].last_error, ErrorCode::relay_timeout);
}

TEST_F(RelayClientTest, a_relay_has_as_long_again_as_a_slow_one_took) {
  ASSERT_TRUE(client.put(now, packet, {}));
  auto const slower = take_fetch("one.example");
  now.instant = now.instant + Duration::from_ms(1950);
  answer(take_fetch("two.example"), {204, {}, {}});
  ASSERT_EQ(client.next_deadline(), now.instant + Duration::from_s(4));
  now.instant = now.instant + Duration::from_s(3);
  answer(slower, {204, {}, {}});
  EXPECT_EQ(take_outcome().stored, 2U);
  EXPECT_FALSE(client.next_deadline());
}

TEST_F(RelayClientTest, a_failing_relay_rests_ever_longer) {
  Duration last_rest;
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(client.get(now, key, {}));
    client.on_fetch_failed(now, take_fetch("one.example").id, FetchFailure::unreachable);
    answer(take_fetch("two.example"), {404, {}, {}});
    take_outcome();
    Instant const until = client.status()[0].health.rests_until();
    last_rest = until - now.instant;
    ASSERT_GT(until, now.instant);
    ASSERT_TRUE(client.get(now, key, {}));
    drain();
    EXPECT_EQ(fetches.size(), 1U) << "a resting relay is left alone";
    answer(take_fetch("two.example"), {404, {}, {}});
    take_outcome();
    now.instant = until;
  }
  EXPECT_GE(last_rest, Duration::from_s(149));
  EXPECT_LE(last_rest, Duration::from_s(300));
}

TEST_F(RelayClientTest, when_all_relays_rest_the_first_to_wake_is_asked_anyway) {
  use_one_relay();
  ASSERT_TRUE(client.get(now, key, {}));
  client.on_fetch_failed(now, take_fetch().id, FetchFailure::unreachable);
  take_outcome();
  ASSERT_TRUE(client.get(now, key, {}));
  answer(take_fetch(), {200, {}, payload_of(packet)});
  EXPECT_TRUE(take_outcome().packet);
}

TEST_F(RelayClientTest, retry_after_is_obeyed_without_counting_as_a_failure) {
  ASSERT_TRUE(client.get(now, key, {}));
  answer(take_fetch("one.example"), {429, {{"Retry-After", "20"}}, {}});
  answer(take_fetch("two.example"), {404, {}, {}});
  take_outcome();
  EXPECT_EQ(client.status()[0].health.consecutive_failures(), 0U);
  now.instant = now.instant + Duration::from_s(15);
  EXPECT_TRUE(client.status()[0].health.is_resting(now.instant));
  now.instant = now.instant + Duration::from_s(6);
  EXPECT_FALSE(client.status()[0].health.is_resting(now.instant));
}

TEST_F(RelayClientTest, a_cancelled_operation_ends_once_and_stops_its_fetches) {
  auto const id = client.get(now, key, {}).value();
  auto const one = take_fetch("one.example");
  client.cancel(id);
  client.cancel(id);
  EXPECT_EQ(take_outcome().error, ErrorCode::cancelled);
  EXPECT_TRUE(finished.empty());
  EXPECT_EQ(cancelled.size(), 2U);
  answer(one, {200, {}, payload_of(packet)});
  EXPECT_TRUE(finished.empty());
  EXPECT_FALSE(client.next_deadline());
}

TEST_F(RelayClientTest, without_relays_there_is_no_source) {
  ASSERT_TRUE(client.set_relays({}));
  EXPECT_EQ(client.get(now, key, {}).error().code, ErrorCode::network_no_source);
  EXPECT_FALSE(client.has_relays());
}

TEST_F(RelayClientTest, operations_are_bounded) {
  ClientSettings settings;
  settings.operations_max = 2;
  client = Client(settings, entropy);
  use_one_relay();
  EXPECT_TRUE(client.get(now, key, {}));
  EXPECT_TRUE(client.get(now, key, {}));
  EXPECT_EQ(client.get(now, key, {}).error().code, ErrorCode::relay_busy);
}

TEST(relay_url, a_relay_has_a_scheme_a_host_and_perhaps_a_port_and_a_path) {
  EXPECT_EQ(parse_relay_url("HTTPS://Relay.Example:8443/Pkarr/").value(),
            "https://relay.example:8443/Pkarr");
  EXPECT_EQ(parse_relay_url("http://[::1]:6881").value(), "http://[::1]:6881");
  for (char const* const text :
       {"", "relay.example", "ftp://relay.example", "https://", "https:///x", "https://a@b",
        "https://a?b", "https://a#b", "https://a b", "https://a:0", "https://a:65536",
        "https://a:x", "https://:80", "https://[::1", "https://[1.2.3.4]", "https://a\\b"}) {
    EXPECT_FALSE(parse_relay_url(text)) << text;
  }
}

}  // namespace
}  // namespace dotkey::relay
