// SPDX-License-Identifier: Apache-2.0
// What the proxy opens, for whom, and what it refuses.
#include "tests/proxy/proxy_fixture.h"

namespace dotkey::host::proxy {
namespace {

TEST_F(ProxyTest, a_pinned_site_opens_with_a_leaf_for_its_host) {
  Origin origin(echo);
  publish(origin);
  Peer browser = open();
  EXPECT_TRUE(browser.write("hello"));
  EXPECT_EQ(browser.read(5), "hello");
  on_loop([&] {
    ASSERT_EQ(gate_.evidences.size(), 1U);
    EXPECT_EQ(gate_.evidences[0].site, (Site{site_host, 443}));
    EXPECT_EQ(gate_.evidences[0].endpoint.port, origin.port());
  });
}

TEST_F(ProxyTest, foreign_hosts_addresses_and_ports_are_refused) {
  Origin origin(echo);
  publish(origin);
  std::string const forbidden = "HTTP/1.1 403 Forbidden";
  std::string const bad = "HTTP/1.1 400 Bad Request";
  EXPECT_EQ(answer_to(connect_request("example.com:443")), forbidden);
  EXPECT_EQ(answer_to(connect_request("short.key:443")), forbidden);
  EXPECT_EQ(answer_to(connect_request("127.0.0.1:443")), forbidden);
  EXPECT_EQ(answer_to(connect_request("[::1]:443")), bad);
  EXPECT_EQ(answer_to(connect_request("2130706433:443")), forbidden);
  EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nHost: " + site_host + "\r\n\r\n"), bad);
  on_loop([&] { EXPECT_EQ(gate_.resolve_count, 0U); });
  EXPECT_EQ(answer_to(connect_request(site_host + ":22")), "HTTP/1.1 502 Bad Gateway");
  on_loop([&] {
    EXPECT_EQ(gate_.refusals.back().second, "proxy.port_refused");
    gate_.ports = {22};
  });
  EXPECT_EQ(answer_to(connect_request(site_host + ":22")), "HTTP/1.1 200 Connection established");
}

TEST_F(ProxyTest, a_packet_leads_to_this_machine_only_where_the_user_allowed_it) {
  Origin origin(echo);
  publish(origin);
  on_loop([&] { gate_.routes[site_host][0].local_network_allowed = false; });
  EXPECT_EQ(answer_to(connect_request(site_host + ":443")), "HTTP/1.1 502 Bad Gateway");
  on_loop([&] { EXPECT_EQ(gate_.refusals.at(0).second, "proxy.address_refused"); });
  EXPECT_EQ(origin.connection_count(), 0);
}

TEST_F(ProxyTest, a_dead_route_does_not_hide_the_next) {
  Origin origin(echo);
  publish(origin);
  on_loop([&] {
    auto& routes = gate_.routes[site_host];
    routes.insert(routes.begin(), Route{site_host, 1, {loopback}, true});
  });
  Peer browser = open();
  EXPECT_TRUE(browser.write("x"));
  EXPECT_EQ(browser.read(1), "x");
}

TEST_F(ProxyTest, smuggled_requests_are_refused) {
  std::string const target = site_host + ":443";
  std::string const bad = "HTTP/1.1 400 Bad Request";
  EXPECT_EQ(answer_to(connect_request(target) + "GET / HTTP/1.1\r\n\r\n"), bad);
  EXPECT_EQ(answer_to(connect_request(target, "Content-Length: 5\r\n")), bad);
  EXPECT_EQ(answer_to(connect_request(target, "Transfer-Encoding: chunked\r\n")), bad);
  EXPECT_EQ(answer_to("CONNECT " + target + " HTTP/1.1\nHost: " + target + "\n\r\n\r\n"), bad);
  EXPECT_EQ(answer_to("CONNECT " + target + " HTTP/1.1\r\nHost: other.key:443\r\n\r\n"), bad);
  EXPECT_EQ(answer_to(connect_request(target, "X-Long: " + std::string(20'000, 'x') + "\r\n")),
            bad);
}

TEST_F(ProxyTest, plain_http_is_sent_to_https) {
  Peer browser = dial();
  browser.send("GET http://" + site_host + "/a?b=c HTTP/1.1\r\nHost: " + site_host + "\r\n\r\n");
  std::string const head = browser.receive_head();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 307 ")) << head;
  EXPECT_NE(head.find("\r\nLocation: https://" + site_host + "/a?b=c\r\n"), std::string::npos);
}

TEST_F(ProxyTest, another_users_socket_is_not_served) {
  PortSettings settings;
  settings.user = ::geteuid() + 1;
  start(settings);
  EXPECT_EQ(answer_to(connect_request(site_host + ":443")), "");
  on_loop([&] { EXPECT_EQ(port_->counters().strangers, 1U); });
}

TEST_F(ProxyTest, a_port_with_a_token_wants_it) {
  PortSettings settings;
  settings.token = "secret";
  start(settings);
  Origin origin(echo);
  publish(origin);
  std::string const target = site_host + ":443";
  std::string const wanted = "HTTP/1.1 407 Proxy Authentication Required";
  EXPECT_EQ(answer_to(connect_request(target)), wanted);
  EXPECT_EQ(answer_to(connect_request(target, "Proxy-Authorization: Basic eDp3cm9uZw==\r\n")),
            wanted);
  EXPECT_EQ(answer_to(connect_request(target, "Proxy-Authorization: Basic eDpzZWNyZXQ=\r\n")),
            "HTTP/1.1 200 Connection established");
}

TEST_F(ProxyTest, connections_beyond_the_limit_are_turned_away) {
  PortSettings settings;
  settings.connections_max = 2;
  start(settings);
  Peer const first = dial();
  Peer const second = dial();
  ASSERT_TRUE(comes_true([&] { return port_->open_count() == 2; }));
  EXPECT_TRUE(dial().receive_head().starts_with("HTTP/1.1 503 "));
  on_loop([&] { EXPECT_EQ(port_->counters().turned_away, 1U); });
}

}  // namespace
}  // namespace dotkey::host::proxy
