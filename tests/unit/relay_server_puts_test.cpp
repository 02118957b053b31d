// SPDX-License-Identifier: Apache-2.0
// Packets put to the relay server, row by row of facts/pkarr.md §2, and by several at once.
#include "tests/unit/relay_server_fixture.h"

namespace dotkey::relay {
namespace {

TEST_F(RelayServerTest, a_put_is_acknowledged_once_the_dht_has_it) {
  ASSERT_TRUE(put(packet));
  EXPECT_FALSE(cache.peek(packet.key()));
  EXPECT_EQ(answer_put({PublishVerdict::stored, 17}).status, 204);
  EXPECT_EQ(field("pkarr-dht-stored-nodes"), "17");
  EXPECT_TRUE(response.body.empty());
  EXPECT_FALSE(response.content_length);
  EXPECT_TRUE(cache.peek(packet.key()));
}

TEST_F(RelayServerTest, a_put_that_is_no_signed_packet_is_refused) {
  auto broken = base::to_bytes(packet.relay_payload());
  broken[70] ^= 1;
  Bytes const zeros(72, 0);
  Bytes const large(1073, 0);
  struct Row {
    std::string target;
    Bytes body;
    std::uint16_t status;
  };
  std::string const key = "/" + key_text(1);
  for (Row const& row :
       {Row{"/abc", base::to_bytes(packet.relay_payload()), 400},
        Row{"/" + key_text(2), base::to_bytes(packet.relay_payload()), 400}, Row{key, broken, 400},
        Row{key, zeros, 400}, Row{key, {}, 400}, Row{key, large, 413}}) {
    EXPECT_FALSE(send("PUT", row.target, {}, row.body));
    EXPECT_EQ(response.status, row.status);
  }
  EXPECT_FALSE(server->poll_effect());
}

TEST_F(RelayServerTest, a_packet_of_exactly_1072_bytes_passes) {
  std::string const long_text(254, 'x');
  std::vector<wire::dns::ResourceRecord> records;
  auto const txt = [](std::string_view text) {
    return wire::dns::ResourceRecord::make(test::dns_name("a"), 30, wire::dns::RecordType::txt,
                                           wire::dns::Txt::from({text}));
  };
  for (int i = 0; i < 3; ++i) records.push_back(txt(long_text));
  records.push_back(txt(""));
  std::size_t const room = 1000 - packet_of(3, 1, records).dns().size();
  ASSERT_LT(room, 255U);
  records.back() = txt(std::string(room, 'y'));
  auto const largest = packet_of(3, stamp_us, records);
  ASSERT_EQ(largest.relay_payload().size(), 1072U);
  EXPECT_TRUE(put(largest));
}

TEST_F(RelayServerTest, an_older_packet_than_the_cached_one_is_a_conflict) {
  cache.put(packet, now.unix_time);
  EXPECT_FALSE(put(packet_of(1, stamp_us - 1, {})));
  EXPECT_EQ(response.status, 409);
  EXPECT_TRUE(put(packet)) << "the same again is a republication";
}

TEST_F(RelayServerTest, each_outcome_of_the_dht_has_its_response) {
  struct Row {
    PublishVerdict verdict;
    std::uint16_t status;
  };
  for (Row const row : {Row{PublishVerdict::newer_exists, 409},
                        Row{PublishVerdict::cas_mismatch, 412}, Row{PublishVerdict::failed, 500}}) {
    ASSERT_TRUE(put(packet));
    EXPECT_EQ(answer_put({row.verdict, 0}).status, row.status);
    EXPECT_FALSE(cache.peek(packet.key()));
  }
}

TEST_F(RelayServerTest, if_match_compares_and_swaps) {
  auto const newer = packet_of(1, stamp_us + 1, {});
  std::string const held = std::to_string(stamp_us);
  ASSERT_TRUE(put(newer, {{"If-Match", held}})) << "nothing is held: the DHT decides";
  EXPECT_EQ(take<PublishWanted>()->cas_us, stamp_us);
  server->on_published(now, *ticket, {PublishVerdict::failed, 0});
  await_response();

  cache.put(packet, now.unix_time);
  get();
  std::string const tag = field("etag").value();
  struct Row {
    std::string value;
    std::uint16_t status;  // 0 = passed on
  };
  for (Row const& row : {Row{held, 0}, Row{tag, 0}, Row{"*", 0}, Row{"1", 412},
                         Row{"\"other\"", 412}, Row{"yesterday", 400}}) {
    SCOPED_TRACE(row.value);
    bool const passed = put(newer, {{"If-Match", row.value}}).has_value();
    EXPECT_EQ(passed, row.status == 0);
    if (passed) {
      EXPECT_EQ(answer_put({PublishVerdict::failed, 0}).status, 500);
    } else {
      EXPECT_EQ(response.status, row.status);
    }
  }
}

TEST_F(RelayServerTest, equal_packets_under_way_share_one_store) {
  auto const first = put(packet);
  auto const second = put(packet);
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(take<PublishWanted>());
  EXPECT_FALSE(server->poll_effect());
  server->on_published(now, *first, {PublishVerdict::stored, 5});
  for (TicketId const id : {*first, *second}) {
    auto const ready = take<ResponseReady>();
    ASSERT_TRUE(ready);
    EXPECT_EQ(ready->id, id);
    EXPECT_EQ(ready->response.status, 204);
  }
  EXPECT_EQ(server->pending(), 0U);
}

TEST_F(RelayServerTest, another_packet_under_way_must_be_named_by_if_match) {
  auto const newer = packet_of(1, stamp_us + 1, {});
  ASSERT_TRUE(put(packet));
  EXPECT_FALSE(put(packet_of(1, stamp_us - 1, {})));
  EXPECT_EQ(response.status, 409);
  EXPECT_FALSE(put(newer));
  EXPECT_EQ(response.status, 428);
  EXPECT_FALSE(put(newer, {{"If-Match", "5"}}));
  EXPECT_EQ(response.status, 412);
  EXPECT_TRUE(put(newer, {{"If-Match", std::to_string(stamp_us)}}));
}

TEST_F(RelayServerTest, a_client_that_went_away_gets_no_response_and_its_put_goes_on) {
  ASSERT_TRUE(put(packet));
  auto const id = *ticket;
  take<PublishWanted>();
  server->abandon(id);
  server->on_published(now, id, {PublishVerdict::stored, 5});
  EXPECT_FALSE(server->poll_effect());
  EXPECT_TRUE(cache.peek(packet.key()));
  ASSERT_TRUE(get("?policy=NetworkOnly"));
  take<ResolveWanted>();
  server->abandon(*ticket);
  server->on_resolved(now, *ticket, {ResolveVerdict::not_found, {}, {}, 0});
  EXPECT_FALSE(server->poll_effect());
}

TEST_F(RelayServerTest, packets_may_be_verified_elsewhere) {
  verify_elsewhere();
  ASSERT_TRUE(put(packet));
  auto const id = *ticket;
  auto const wanted = take<VerifyWanted>();
  ASSERT_TRUE(wanted);
  EXPECT_EQ(wanted->id, id);
  EXPECT_EQ(wanted->key, packet.key());
  EXPECT_TRUE(base::equal(wanted->payload, packet.relay_payload()));
  EXPECT_EQ(server->pending(), 1U);
  server->on_verified(now, id, packet);
  EXPECT_EQ(answer_put({PublishVerdict::stored, 5}).status, 204);
  EXPECT_EQ(server->pending(), 0U);
  EXPECT_TRUE(cache.peek(packet.key()));
}

TEST_F(RelayServerTest, what_verification_elsewhere_brings_is_judged_as_ever) {
  verify_elsewhere();
  cache.put(packet_of(1, stamp_us + 1, {}), now.unix_time);
  struct Row {
    std::vector<HeaderView> headers;
    base::Result<SignedPacket> verified;
    int status;
  };
  auto const forged = base::Result<SignedPacket>(
      tl::unexpect, base::Error(base::ErrorCode::record_signature_invalid));
  auto const newer = packet_of(1, stamp_us + 2, {});
  for (Row const& row :
       {Row{{}, forged, 400}, Row{{}, packet, 409}, Row{{{"If-Match", "5"}}, newer, 412},
        Row{{{"If-Match", "x"}}, newer, 400}}) {
    ASSERT_TRUE(put(packet, row.headers));
    ASSERT_TRUE(take<VerifyWanted>());
    server->on_verified(now, *ticket, row.verified);
    EXPECT_EQ(await_response().status, row.status);
  }
  // Two of one key at once: the second to be verified has to name the first.
  ASSERT_TRUE(put(newer));
  auto const first = *ticket;
  ASSERT_TRUE(put(packet_of(1, stamp_us + 3, {})));
  auto const second = *ticket;
  ASSERT_TRUE(take<VerifyWanted>() && take<VerifyWanted>());
  server->on_verified(now, first, newer);
  ASSERT_TRUE(take<PublishWanted>());
  server->on_verified(now, second, packet_of(1, stamp_us + 3, {}));
  EXPECT_EQ(await_response().status, 428);
  // Who left before its packet was verified has published nothing.
  ASSERT_TRUE(put(newer));
  ASSERT_TRUE(take<VerifyWanted>());
  server->abandon(*ticket);
  EXPECT_EQ(server->pending(), 2U) << "nobody fills the driver's threads by leaving";
  server->on_verified(now, *ticket, newer);
  EXPECT_FALSE(server->poll_effect());
  EXPECT_EQ(server->pending(), 1U);
}

// Two servers of one relay, as on two threads.
TEST_F(RelayServerTest, of_two_servers_one_replaces_a_packet) {
  cache.put(packet, now.unix_time);
  Server other(ServerSettings{}, shelf, *commons);
  std::string const tag = std::to_string(stamp_us);
  HeaderView const headers[] = {{"If-Match", tag}};
  SignedPacket const first = packet_of(1, stamp_us + 1, {});
  SignedPacket const second = packet_of(1, stamp_us + 2, {});
  auto const put_to_other = [&](SignedPacket const& one) {
    Bytes const body = base::to_bytes(one.relay_payload());
    return other.on_request(now, {"PUT", "/" + key_text(1), headers, body, {}}, response);
  };
  ASSERT_TRUE(put(first, {headers[0]}));
  EXPECT_FALSE(put_to_other(second));
  EXPECT_EQ(response.status, 412);
  EXPECT_EQ(answer_put({PublishVerdict::stored, 5}).status, 204);
  EXPECT_FALSE(put_to_other(second)) << "the condition names what is there no longer";
  EXPECT_EQ(response.status, 412);
  // What failed is in nobody's way.
  std::string const next = std::to_string(stamp_us + 1);
  ASSERT_TRUE(put(second, {{"If-Match", next}}));
  EXPECT_EQ(answer_put({PublishVerdict::failed, 0}).status, 500);
  HeaderView const next_headers[] = {{"If-Match", next}};
  Bytes const body = base::to_bytes(second.relay_payload());
  EXPECT_TRUE(other.on_request(now, {"PUT", "/" + key_text(1), next_headers, body, {}}, response));
}

}  // namespace
}  // namespace dotkey::relay
