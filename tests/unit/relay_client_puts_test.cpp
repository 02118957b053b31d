// SPDX-License-Identifier: Apache-2.0
// What the relay client puts, and what relays say to it, row by row of facts/pkarr.md §2 and §3.
#include "tests/unit/relay_client_fixture.h"

namespace dotkey::relay {
namespace {

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

}  // namespace
}  // namespace dotkey::relay
