// SPDX-License-Identifier: Apache-2.0
// The relay server, row by row of facts/pkarr.md §2 and of the differences in its §10.
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/relay/server.h"

#include "tests/support/cache_shelf.h"
#include "tests/support/packets.h"

namespace dotkey::relay {
namespace {

using test::a_record;
using test::key_pair;
using test::key_text;
using test::packet_of;

// 2024-03-04 16:50:04.412159 UTC
constexpr std::int64_t stamp_us = 1'709'571'004'412'159;
constexpr std::string_view at_stamp = "Mon, 04 Mar 2024 16:50:04 GMT";
constexpr std::string_view after_stamp = "Mon, 04 Mar 2024 16:50:05 GMT";

class RelayServerTest : public testing::Test {
 protected:
  RelayServerTest() { configure(std::nullopt, std::nullopt); }

  void configure(std::optional<Quota> quota, std::optional<Quota> dht_quota) {
    commons.emplace(Quotas{quota, dht_quota}, 7);
    server.emplace(ServerSettings{}, shelf, *commons);
  }

  void verify_elsewhere() {
    ServerSettings settings;
    settings.verify_elsewhere = true;
    server.emplace(settings, shelf, *commons);
  }

  // The immediate response to a request, or the ticket.
  std::optional<TicketId> send(std::string_view method, std::string const& target,
                               std::vector<HeaderView> const& headers = {}, ByteView body = {},
                               std::string_view client = "198.51.100.1") {
    auto const address = base::IpAddress::parse(client).value();
    ticket = server->on_request(now, {method, target, headers, body, address}, response);
    return ticket;
  }

  std::optional<TicketId> get(std::string const& query = "",
                              std::vector<HeaderView> const& headers = {}) {
    return send("GET", "/" + key_text(1) + query, headers);
  }
  std::optional<TicketId> put(SignedPacket const& p, std::vector<HeaderView> const& headers = {}) {
    return send("PUT", "/" + base::encode_zbase32(p.key().view()), headers, p.relay_payload());
  }

  // The next effect, when it is of this type.
  template <class T>
  std::optional<T> take() {
    auto effect = server->poll_effect();
    if (!effect || !std::holds_alternative<T>(*effect)) return std::nullopt;
    return std::move(std::get<T>(*effect));
  }

  // What the ticket's request is answered with.
  Response const& await_response() {
    auto ready = take<ResponseReady>();
    EXPECT_TRUE(ready);
    response = ready ? std::move(ready->response) : Response{};
    return response;
  }

  Response const& answer_get(ResolveAnswer const& answer) {
    EXPECT_TRUE(ticket);
    EXPECT_EQ(take<ResolveWanted>()->id, *ticket);
    server->on_resolved(now, *ticket, answer);
    return await_response();
  }

  Response const& answer_put(PublishAnswer const& answer) {
    EXPECT_TRUE(ticket);
    EXPECT_TRUE(take<PublishWanted>());
    server->on_published(now, *ticket, answer);
    return await_response();
  }

  [[nodiscard]] std::optional<std::string> field(std::string_view name) const {
    std::string_view rest = response.head;
    while (!rest.empty()) {
      std::size_t const end = rest.find("\r\n");
      std::string_view const line = rest.substr(0, end);
      rest.remove_prefix(end + 2);
      std::size_t const colon = line.find(": ");
      if (line.substr(0, colon) == name) return std::string(line.substr(colon + 2));
    }
    return std::nullopt;
  }
  [[nodiscard]] std::string text() const { return std::string(base::text_of(response.body)); }

  cache::PacketCache cache{cache::Settings{}, 7};
  test::CacheShelf shelf{cache};
  std::optional<LocalCommons> commons;
  std::optional<Server> server;
  Moment now{Instant{1'000'000}, UnixTime{stamp_us + 100'000'000}};
  SignedPacket packet = packet_of(1, stamp_us, {a_record("www", "192.0.2.1", 3600)});
  Response response;
  std::optional<TicketId> ticket;
};

// GET

TEST_F(RelayServerTest, a_fresh_packet_is_answered_from_the_cache_with_all_headers) {
  cache.put(packet, now.unix_time);
  now.unix_time = now.unix_time + Duration::from_s(600);
  EXPECT_FALSE(get());
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(base::equal(response.body, packet.relay_payload()));
  EXPECT_EQ(response.content_length, packet.relay_payload().size());
  EXPECT_EQ(field("content-type"), "application/pkarr.org/relays#payload");
  EXPECT_EQ(field("cache-control"), "public, max-age=3000") << "what remains, not the full TTL";
  EXPECT_EQ(field("last-modified"), at_stamp);
  EXPECT_EQ(field("memento-datetime"), "Mon, 04 Mar 2024 16:51:44 GMT");
  auto const tag = field("etag").value();
  EXPECT_EQ(tag, "\"" + std::to_string(stamp_us) + "-" +
                     base::encode_hex(packet.signature().view().first(8)) + "\"");
  EXPECT_EQ(server->counters().answered_from_cache, 1U);
}

TEST_F(RelayServerTest, the_http_form_is_complete) {
  cache.put(packet, now.unix_time);
  get();
  std::string head;
  append_http1(head, response);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(
      head.ends_with("content-length: " + std::to_string(response.body.size()) + "\r\n\r\n"));
}

TEST_F(RelayServerTest, the_key_may_take_every_form_that_pkarr_accepts) {
  cache.put(packet, now.unix_time);
  for (std::string const& segment :
       {key_text(1), "pk:" + key_text(1), "pk%3A" + key_text(1), "https:%2F%2F" + key_text(1)}) {
    EXPECT_FALSE(send("GET", "/" + segment)) << segment;
    EXPECT_EQ(response.status, 200) << segment;
  }
}

TEST_F(RelayServerTest, a_path_that_is_no_key_is_refused) {
  struct Row {
    std::string target;
    std::uint16_t status;
  };
  for (Row const& row : {Row{"/abc", 400}, Row{"/" + key_text(1).substr(1), 400}, Row{"/%zz", 400},
                         Row{"/", 404}, Row{"/" + key_text(1) + "/x", 404}, Row{"", 404},
                         Row{"*", 404}, Row{"/" + std::string(4000, 'y'), 404},
                         // No point of the curve (facts/pkarr.md §8.2).
                         Row{"/c1bkg8tfsyy8wcedtmw4fwhdmm7bbzhgg3z58tf43m5ow8w9mbus", 400}}) {
    EXPECT_FALSE(send("GET", row.target)) << row.target;
    EXPECT_EQ(response.status, row.status) << row.target;
    EXPECT_EQ(field("cache-control"), "no-store");
  }
}

TEST_F(RelayServerTest, an_unknown_policy_is_refused) {
  for (char const* const query : {"?policy=cachefirst", "?policy=", "?x=1&policy=Newest"}) {
    EXPECT_FALSE(get(query));
    EXPECT_EQ(response.status, 400) << query;
  }
}

TEST_F(RelayServerTest, cache_only_answers_even_what_has_expired) {
  EXPECT_FALSE(get("?policy=CacheOnly"));
  EXPECT_EQ(response.status, 404);
  EXPECT_TRUE(response.body.empty());
  EXPECT_EQ(response.content_length, 0U);
  cache.put(packet, now.unix_time);
  now.unix_time = now.unix_time + Duration::from_s(90'000);
  EXPECT_FALSE(get("?a=b&policy=CacheOnly"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(field("cache-control"), "public, max-age=0");
}

TEST_F(RelayServerTest, cache_first_asks_the_network_when_the_packet_has_expired) {
  cache.put(packet, now.unix_time);
  now.unix_time = now.unix_time + Duration::from_s(3600);
  ASSERT_TRUE(get("?policy=CacheFirst"));
  auto const newer = packet_of(1, stamp_us + 1, {a_record("www", "192.0.2.2", 600)});
  auto const wanted = take<ResolveWanted>();
  ASSERT_TRUE(wanted);
  EXPECT_EQ(wanted->key, packet.key());
  EXPECT_EQ(wanted->policy, Policy::cache_first);
  server->on_resolved(now, *ticket, {ResolveVerdict::found, newer, now.unix_time, 0});
  EXPECT_EQ(await_response().status, 200);
  EXPECT_TRUE(base::equal(response.body, newer.relay_payload()));
  EXPECT_EQ(field("cache-control"), "public, max-age=600");
}

TEST_F(RelayServerTest, network_only_ignores_the_cache) {
  cache.put(packet, now.unix_time);
  ASSERT_TRUE(get("?policy=NetworkOnly"));
  EXPECT_EQ(take<ResolveWanted>()->policy, Policy::network_only);
}

TEST_F(RelayServerTest, each_outcome_of_the_network_has_its_response) {
  struct Row {
    ResolveVerdict verdict;
    std::uint16_t status;
    std::string text;
  };
  for (Row const& row : {Row{ResolveVerdict::not_found, 404, ""},
                         Row{ResolveVerdict::no_nodes, 503, "No DHT nodes were queried"},
                         Row{ResolveVerdict::no_responses, 503, "No queried DHT nodes responded"},
                         Row{ResolveVerdict::no_usable_responses, 503,
                             "No responded DHT nodes returned usable response"}}) {
    get();
    EXPECT_EQ(answer_get({row.verdict, {}, {}, 0}).status, row.status);
    EXPECT_EQ(text(), row.text);
    EXPECT_FALSE(field("pkarr-invalid-signed-packet-seq"));
  }
  get();
  EXPECT_EQ(answer_get({ResolveVerdict::invalid_packet, {}, {}, 42}).status, 404);
  EXPECT_EQ(field("pkarr-invalid-signed-packet-seq"), "42");
  EXPECT_EQ(text(), "DHT mutable item at seq 42 is not a valid signed packet");
}

TEST_F(RelayServerTest, if_modified_since_is_compared_in_microseconds) {
  cache.put(packet, now.unix_time);
  struct Row {
    std::string_view date;
    std::uint16_t status;
  };
  // The packet was stamped 0.4 s after the full second, so it is modified since then.
  for (Row const row : {Row{at_stamp, 200}, Row{after_stamp, 304}, Row{"not a date", 200}}) {
    EXPECT_FALSE(get("", {{"If-Modified-Since", row.date}}));
    EXPECT_EQ(response.status, row.status) << row.date;
  }
  auto const exact = packet_of(2, 1'709'571'004'000'000, {});
  cache.put(exact, now.unix_time);
  EXPECT_FALSE(send("GET", "/" + key_text(2), {{"if-modified-since", at_stamp}}));
  EXPECT_EQ(response.status, 304);
  EXPECT_TRUE(response.body.empty());
  EXPECT_FALSE(response.content_length);
  EXPECT_EQ(field("last-modified"), at_stamp);
  EXPECT_TRUE(field("etag"));
}

TEST_F(RelayServerTest, if_none_match_goes_before_if_modified_since) {
  cache.put(packet, now.unix_time);
  get();
  std::string const tag = field("etag").value();
  struct Row {
    std::string value;
    std::uint16_t status;
  };
  for (Row const& row : {Row{tag, 304}, Row{"\"x\", W/" + tag, 304}, Row{"*", 304},
                         Row{"\"x\"", 200}, Row{"", 200}}) {
    EXPECT_FALSE(get("", {{"If-None-Match", row.value}, {"If-Modified-Since", after_stamp}}));
    EXPECT_EQ(response.status, row.status) << row.value;
  }
}

TEST_F(RelayServerTest, conditions_hold_for_what_the_network_finds_too) {
  ASSERT_TRUE(get("", {{"If-Modified-Since", after_stamp}}));
  EXPECT_EQ(answer_get({ResolveVerdict::found, packet, now.unix_time, 0}).status, 304);
}

TEST_F(RelayServerTest, head_is_get_without_the_body) {
  cache.put(packet, now.unix_time);
  EXPECT_FALSE(send("HEAD", "/" + key_text(1)));
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.body.empty());
  EXPECT_EQ(response.content_length, packet.relay_payload().size());
}

// PUT

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

TEST_F(RelayServerTest, a_ticket_is_answered_once) {
  ASSERT_TRUE(get());
  answer_get({ResolveVerdict::not_found, {}, {}, 0});
  server->on_resolved(now, *ticket, {ResolveVerdict::not_found, {}, {}, 0});
  server->on_published(now, *ticket, {PublishVerdict::stored, 1});
  EXPECT_FALSE(server->poll_effect());
}

TEST_F(RelayServerTest, requests_that_wait_are_bounded) {
  ServerSettings settings;
  settings.pending_max = 3;
  server.emplace(settings, shelf, *commons);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(get());
  EXPECT_FALSE(get());
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(field("retry-after"));
  EXPECT_FALSE(put(packet));
  EXPECT_EQ(response.status, 503);
}

// Methods, CORS and limits

TEST_F(RelayServerTest, other_methods_are_refused_with_those_allowed) {
  for (char const* const method : {"POST", "DELETE", "get", ""}) {
    EXPECT_FALSE(send(method, "/" + key_text(1)));
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(field("allow"), "GET, HEAD, PUT, OPTIONS");
  }
}

TEST_F(RelayServerTest, a_preflight_is_answered_for_any_origin) {
  EXPECT_FALSE(send("OPTIONS", "/" + key_text(1),
                    {{"Origin", "https://app.example"},
                     {"Access-Control-Request-Method", "PUT"},
                     {"Access-Control-Request-Headers", "if-match,x-other"}}));
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(field("access-control-allow-origin"), "https://app.example");
  EXPECT_EQ(field("access-control-allow-methods"), "GET, HEAD, PUT");
  EXPECT_EQ(field("access-control-allow-headers"), "if-match,x-other");
  EXPECT_EQ(field("access-control-max-age"), "86400");
}

TEST_F(RelayServerTest, every_response_can_be_read_by_a_page) {
  configure(Quota{1, Duration::from_s(1), 5}, std::nullopt);
  cache.put(packet, now.unix_time);
  std::vector<HeaderView> const headers = {{"Origin", "null"}};
  std::vector<std::uint16_t> statuses;
  for (std::string const& target :
       {"/" + key_text(1), "/" + key_text(1) + "?policy=x", std::string("/abc"),
        "/" + key_text(2) + "?policy=CacheOnly", std::string("/"), std::string("/")}) {
    send("GET", target, headers);
    statuses.push_back(response.status);
    EXPECT_EQ(field("access-control-allow-origin"), "null");
    EXPECT_EQ(field("vary"), "origin");
    EXPECT_EQ(field("access-control-expose-headers"),
              "pkarr-invalid-signed-packet-seq, pkarr-dht-stored-nodes, memento-datetime, "
              "last-modified, etag, retry-after");
  }
  EXPECT_EQ(statuses, (std::vector<std::uint16_t>{200, 400, 400, 404, 404, 429}));
}

TEST_F(RelayServerTest, an_origin_cannot_smuggle_a_header) {
  send("GET", "/abc", {{"Origin", "https://a.example\r\nset-cookie: x=1"}});
  EXPECT_EQ(field("access-control-allow-origin"), "*");
  EXPECT_FALSE(field("set-cookie"));
}

TEST_F(RelayServerTest, the_quota_counts_all_but_preflights) {
  configure(Quota{1, Duration::from_s(1), 2}, std::nullopt);
  for (int i = 0; i < 20; ++i) {
    send("OPTIONS", "/" + key_text(1));
    EXPECT_EQ(response.status, 204);
  }
  send("GET", "/");
  EXPECT_EQ(field("x-ratelimit-limit"), "2");
  EXPECT_EQ(field("x-ratelimit-remaining"), "1");
  send("GET", "/");
  EXPECT_EQ(response.status, 404);
  send("GET", "/");
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(field("retry-after"), "1");
  EXPECT_EQ(field("x-ratelimit-after"), "1");
  EXPECT_EQ(field("x-ratelimit-remaining"), "0");
  Response page;
  EXPECT_FALSE(server->admit(now, {"GET", "/metrics", {}, {}, {}}, page) &&
               server->admit(now, {"GET", "/metrics", {}, {}, {}}, page) &&
               server->admit(now, {"GET", "/metrics", {}, {}, {}}, page));
  EXPECT_EQ(page.status, 429);
  now.instant = now.instant + Duration::from_s(1);
  send("GET", "/");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(server->counters().rate_limited, 2U);
}

TEST_F(RelayServerTest, a_quota_belongs_to_one_ipv4_address_or_one_ipv6_network) {
  configure(Quota{1, Duration::from_s(1), 1}, std::nullopt);
  struct Row {
    std::string_view client;
    std::uint16_t status;
  };
  for (Row const row :
       {Row{"198.51.100.1", 404}, Row{"198.51.100.1", 429}, Row{"198.51.100.2", 404},
        Row{"2001:db8::1", 404}, Row{"2001:db8::ffff", 429}, Row{"2001:db8:0:1::1", 404}}) {
    send("GET", "/", {}, {}, row.client);
    EXPECT_EQ(response.status, row.status) << row.client;
  }
}

TEST_F(RelayServerTest, the_dht_quota_counts_only_what_reaches_the_dht) {
  configure(std::nullopt, Quota{1, Duration::from_s(1), 1});
  cache.put(packet, now.unix_time);
  for (int i = 0; i < 5; ++i) {
    get();
    EXPECT_EQ(response.status, 200);
    put(packet_of(1, stamp_us - 1, {}));
    EXPECT_EQ(response.status, 409) << "refused from the cache";
  }
  EXPECT_TRUE(get("?policy=NetworkOnly"));
  EXPECT_FALSE(get("?policy=NetworkOnly"));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(text(), "Too many requests to DHT nodes");
  EXPECT_FALSE(put(packet));
  EXPECT_EQ(response.status, 429);
}

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
