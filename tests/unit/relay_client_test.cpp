// SPDX-License-Identifier: Apache-2.0
// The relay client against scripted relays, row by row of facts/pkarr.md §2 and §3.
#include <map>

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/relay/client.h"

#include "tests/support/packets.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::relay {
namespace {

using base::ErrorCode;
using test::a_record;
using test::key_pair;
using test::key_text;
using test::packet_of;

// 2024-03-04 16:50:04.412159 UTC
constexpr std::int64_t stamp_us = 1'709'571'004'412'159;

struct Answer {
  std::uint16_t status = 200;
  std::vector<HeaderView> headers;
  Bytes body;
};

class RelayClientTest : public testing::Test {
 protected:
  RelayClientTest() : client(ClientSettings{}, entropy) {
    EXPECT_TRUE(client.set_relays({"https://one.example/", "https://two.example/pkarr"}));
  }

  void use_one_relay() { EXPECT_TRUE(client.set_relays({"https://one.example"})); }

  // Moves new effects to where the tests look for them.
  void drain() {
    while (auto effect = client.poll_effect()) {
      if (auto* fetch = std::get_if<FetchUrl>(&*effect)) fetches.push_back(std::move(*fetch));
      if (auto* found = std::get_if<PacketFound>(&*effect)) found_packets.push_back(*found);
      if (auto* end = std::get_if<Finished>(&*effect)) finished.push_back(std::move(*end));
      if (auto* cancel = std::get_if<CancelFetch>(&*effect)) cancelled.push_back(cancel->id);
    }
  }

  FetchUrl take_fetch(std::string_view host = "one.example") {
    drain();
    for (auto at = fetches.begin(); at != fetches.end(); ++at) {
      if (at->url.find(host) == std::string::npos) continue;
      FetchUrl out = *at;
      fetches.erase(at);
      return out;
    }
    ADD_FAILURE() << "nothing was fetched from " << host;
    return {};
  }

  void answer(FetchUrl const& fetch, Answer const& a) {
    now.instant = now.instant + Duration::from_ms(50);
    client.on_fetched(now, fetch.id, {a.status, a.headers, a.body});
    drain();
  }

  Outcome take_outcome() {
    drain();
    if (finished.empty()) {
      ADD_FAILURE() << "nothing finished";
      return {};
    }
    Outcome out = std::move(finished.back().outcome);
    finished.pop_back();
    return out;
  }

  // A get from one relay that gives this answer.
  Outcome get_once(Answer const& a, GetOptions const& options = {}) {
    use_one_relay();
    EXPECT_TRUE(client.get(now, key, options));
    answer(take_fetch(), a);
    return take_outcome();
  }

  Outcome put_once(Answer const& a, PutOptions const& options = {}) {
    use_one_relay();
    EXPECT_TRUE(client.put(now, packet, options));
    answer(take_fetch(), a);
    return take_outcome();
  }

  static Bytes payload_of(SignedPacket const& p) { return base::to_bytes(p.relay_payload()); }

  test::SeededEntropy entropy{1};
  Client client;
  Moment now{Instant{1'000'000}, UnixTime{stamp_us + 60'000'000}};
  SignedPacket packet = packet_of(1, stamp_us, {a_record("www", "192.0.2.1")});
  PublicKey key = packet.key();
  std::vector<FetchUrl> fetches;
  std::vector<PacketFound> found_packets;
  std::vector<Finished> finished;
  std::vector<FetchId> cancelled;
};

std::optional<std::string> header_of(FetchUrl const& fetch, std::string_view name) {
  for (Header const& header : fetch.headers) {
    if (header.name == name) return header.value;
  }
  return std::nullopt;
}

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

TEST_F(RelayClientTest, a_put_sends_the_relay_payload) {
  use_one_relay();
  ASSERT_TRUE(client.put(now, packet, {}));
  auto const fetch = take_fetch();
  EXPECT_EQ(fetch.method, Method::put);
  EXPECT_EQ(fetch.url, "https://one.example/" + key_text(1));
  EXPECT_EQ(fetch.body, payload_of(packet));
  EXPECT_FALSE(header_of(fetch, "If-Match"));
}

TEST_F(RelayClientTest, stored_nodes_are_counted_as_the_relay_says) {
  struct Row {
    std::vector<HeaderView> headers;
    std::uint32_t nodes;
    std::optional<ErrorCode> error;
  };
  for (Row const& row : std::vector<Row>{
           {{{"Pkarr-Dht-Stored-Nodes", "23"}}, 23, {}},
           {{}, 1, {}},  // relays before v7
           {{{"pkarr-dht-stored-nodes", "0"}}, 0, {}},
           {{{"pkarr-dht-stored-nodes", "many"}}, 0, ErrorCode::relay_response_malformed}}) {
    client = Client(ClientSettings{}, entropy);
    auto const outcome = put_once({204, row.headers, {}});
    EXPECT_EQ(outcome.error, row.error);
    EXPECT_EQ(outcome.dht_nodes, row.nodes);
    EXPECT_EQ(outcome.stored, row.error ? 0U : 1U);
  }
}

TEST_F(RelayClientTest, compare_and_swap_goes_out_as_an_unquoted_if_match) {
  use_one_relay();
  ASSERT_TRUE(client.put(now, packet, {.cas_us = stamp_us - 1}));
  EXPECT_EQ(header_of(take_fetch(), "If-Match"), std::to_string(stamp_us - 1));
}

TEST_F(RelayClientTest, a_put_that_compares_first_gets_what_the_relay_holds) {
  auto const older = packet_of(1, stamp_us - 1, {});
  struct Row {
    Answer held;
    bool keeps_condition;
  };
  for (Row const& row : {Row{{404, {}, {}}, true}, Row{{200, {}, payload_of(older)}, true},
                         Row{{200, {}, payload_of(packet)}, false}}) {
    use_one_relay();
    ASSERT_TRUE(client.put(now, packet, {.cas_us = stamp_us - 1, .compare_first = true}));
    auto const get = take_fetch();
    EXPECT_EQ(get.method, Method::get);
    EXPECT_TRUE(get.url.ends_with("?policy=CacheOnly"));
    EXPECT_TRUE(header_of(get, "Cache-Control"));
    answer(get, row.held);
    auto const put = take_fetch();
    EXPECT_EQ(put.method, Method::put);
    EXPECT_EQ(header_of(put, "If-Match").has_value(), row.keeps_condition);
    answer(put, {204, {}, {}});
    EXPECT_EQ(take_outcome().stored, 1U);
  }
}

TEST_F(RelayClientTest, a_relay_that_holds_another_packet_is_not_put_to) {
  struct Row {
    std::int64_t held_us;
    std::optional<std::int64_t> cas_us;
    RelayVerdict verdict;
    ErrorCode error;
  };
  for (Row const& row :
       {Row{stamp_us + 1, std::nullopt, RelayVerdict::newer_exists, ErrorCode::relay_newer_exists},
        Row{stamp_us + 1, stamp_us + 1, RelayVerdict::newer_exists, ErrorCode::relay_newer_exists},
        Row{stamp_us - 5, stamp_us - 9, RelayVerdict::cas_mismatch,
            ErrorCode::relay_cas_mismatch}}) {
    use_one_relay();
    ASSERT_TRUE(client.put(now, packet, {.cas_us = row.cas_us, .compare_first = true}));
    auto const held = packet_of(1, row.held_us, {});
    answer(take_fetch(), {200, {}, payload_of(held)});
    EXPECT_TRUE(fetches.empty());
    auto const outcome = take_outcome();
    EXPECT_EQ(outcome.error, row.error);
    EXPECT_EQ(outcome.packet, held);
    EXPECT_EQ(outcome.relays[0].verdict, row.verdict);
  }
}

TEST_F(RelayClientTest, what_cannot_be_compared_is_not_overwritten) {
  struct Row {
    Answer answer;
    ErrorCode error;
  };
  for (Row const& row :
       std::vector<Row>{{{200, {}, {}}, ErrorCode::relay_payload_invalid},
                        {{200, {}, Bytes(100, 7)}, ErrorCode::relay_payload_invalid},
                        {{200, {}, Bytes(1073, 7)}, ErrorCode::relay_response_too_large},
                        {{304, {}, {}}, ErrorCode::relay_redirected},
                        {{400, {}, {}}, ErrorCode::relay_refused},
                        {{429, {}, {}}, ErrorCode::relay_rate_limited},
                        {{503, {}, {}}, ErrorCode::relay_dht_unavailable}}) {
    client = Client(ClientSettings{}, entropy);
    use_one_relay();
    ASSERT_TRUE(client.put(now, packet, {.compare_first = true}));
    answer(take_fetch(), row.answer);
    EXPECT_TRUE(fetches.empty());
    EXPECT_EQ(take_outcome().error, row.error) << row.answer.status;
  }
}

TEST_F(RelayClientTest, each_refusal_of_a_put_means_one_thing) {
  struct Row {
    std::uint16_t status;
    ErrorCode error;
  };
  for (Row const row : {Row{400, ErrorCode::relay_refused},
                        {413, ErrorCode::relay_refused},
                        {429, ErrorCode::relay_rate_limited},
                        {500, ErrorCode::relay_dht_unavailable},
                        {307, ErrorCode::relay_redirected}}) {
    client = Client(ClientSettings{}, entropy);
    auto const outcome = put_once({row.status, {}, {}});
    EXPECT_EQ(outcome.error, row.error) << row.status;
    EXPECT_EQ(outcome.stored, 0U);
  }
}

TEST_F(RelayClientTest, a_conflict_is_reported_with_the_packet_in_the_way) {
  auto const newer = packet_of(1, stamp_us + 9, {});
  struct Row {
    std::uint16_t status;
    ErrorCode error;
  };
  for (Row const row : {Row{409, ErrorCode::relay_newer_exists},
                        {428, ErrorCode::relay_newer_exists},
                        {412, ErrorCode::relay_cas_mismatch}}) {
    use_one_relay();
    ASSERT_TRUE(client.put(now, packet, {}));
    answer(take_fetch(), {row.status, {}, {}});
    auto const get = take_fetch();
    EXPECT_EQ(get.method, Method::get);
    answer(get, {200, {}, payload_of(newer)});
    auto const outcome = take_outcome();
    EXPECT_EQ(outcome.error, row.error) << row.status;
    EXPECT_EQ(outcome.packet, newer);
  }
}

TEST_F(RelayClientTest, a_conflict_without_proof_does_not_outvote_a_store) {
  ASSERT_TRUE(
      client.set_relays({"https://one.example", "https://two.example", "http://three.example"}));
  ASSERT_TRUE(client.put(now, packet, {}));
  answer(take_fetch("one.example"), {409, {}, {}});
  answer(take_fetch("one.example"), {404, {}, {}});  // nothing to show
  answer(take_fetch("two.example"), {204, {}, {}});
  answer(take_fetch("three.example"), {204, {}, {}});
  auto const outcome = take_outcome();
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.stored, 2U);
  EXPECT_EQ(outcome.relays[0].verdict, RelayVerdict::newer_exists);
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
