// SPDX-License-Identifier: Apache-2.0
// The relay server, row by row of facts/pkarr.md §2 and of the differences in its §10.
#include "tests/unit/relay_server_fixture.h"

namespace dotkey::relay {
namespace {

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

}  // namespace
}  // namespace dotkey::relay
