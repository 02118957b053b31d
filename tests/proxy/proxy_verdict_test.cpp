// SPDX-License-Identifier: Apache-2.0
// The gate's word: when it is asked for, and how long it is remembered.
#include <vector>

#include "tests/proxy/proxy_fixture.h"

namespace dotkey::host::proxy {
namespace {

TEST_F(ProxyTest, a_remembered_verdict_covers_the_same_chain_only) {
  Origin origin(echo);
  publish(origin);
  on_loop([&] { gate_.valid_for = std::chrono::seconds(60); });
  {
    Peer const first = open(alpn_both);
  }
  {
    Peer const second = open(alpn_both);
  }
  on_loop([&] {
    EXPECT_EQ(gate_.resolve_count, 1U);
    EXPECT_EQ(gate_.evidences.size(), 1U);
    port_->forget({site_host, 443});
  });
  origin.change_certificate();
  EXPECT_EQ(answer_to(connect_request(site_host + ":443")), "HTTP/1.1 502 Bad Gateway");
}

TEST_F(ProxyTest, a_warm_site_that_changes_its_certificate_is_cut_off) {
  Origin origin(echo);
  origin.forbid_resumption();
  publish(origin);
  on_loop([&] { gate_.valid_for = std::chrono::seconds(60); });
  Peer const first = open(alpn_both);
  origin.change_certificate();
  Peer second = dial();
  second.send(connect_request(site_host + ":443"));
  EXPECT_EQ(second.receive_head(), connection_established);
  EXPECT_FALSE(second.start_tls(trusting_.get(), site_host, alpn_both));
  on_loop([&] { EXPECT_EQ(gate_.refusals.at(0).second, "pin.mismatch"); });
}

TEST_F(ProxyTest, a_resumed_session_shows_the_evidence_it_began_with) {
  Origin origin(echo);
  publish(origin);
  {
    Peer first = open(alpn_both);
    first.write("x");
    EXPECT_EQ(first.read(1), "x");
  }
  Peer second = open(alpn_both);
  second.write("y");
  EXPECT_EQ(second.read(1), "y");
  EXPECT_EQ(origin.resumed_count(), 1);
  on_loop([&] {
    ASSERT_EQ(gate_.evidences.size(), 2U);  // valid_for is 0: asked again
    EXPECT_EQ(gate_.evidences[0].chain, gate_.evidences[1].chain);
  });
}

TEST_F(ProxyTest, a_new_certificate_with_a_new_pin_needs_no_wait_for_old_sessions) {
  Origin origin(echo);
  publish(origin);
  {
    Peer first = open(alpn_both);
    first.write("x");
    EXPECT_EQ(first.read(1), "x");
  }
  origin.change_certificate();
  publish(origin);
  Peer second = open(alpn_both);
  second.write("y");
  EXPECT_EQ(second.read(1), "y");
  // The one that was refused ended before its handshake did, as the site saw it.
  EXPECT_EQ(origin.resumed_count(), 0);
  on_loop([&] {
    ASSERT_EQ(gate_.evidences.size(), 3U);  // the old chain, the old one resumed, the new one
    EXPECT_EQ(gate_.evidences[0].chain, gate_.evidences[1].chain);
    EXPECT_NE(gate_.evidences[1].chain, gate_.evidences[2].chain);
    EXPECT_TRUE(gate_.refusals.empty());
  });
}

TEST_F(ProxyTest, a_verdict_after_the_browser_left_does_nothing) {
  Origin origin(echo);
  publish(origin);
  on_loop([&] { gate_.silent = true; });
  {
    Peer browser = dial();
    browser.send(connect_request(site_host + ":443"));
    ASSERT_TRUE(comes_true([&] { return gate_.pending != nullptr; }));
  }
  ASSERT_TRUE(comes_true([&] { return port_->open_count() == 0; }));
  on_loop([&] {
    gate_.pending(Allow{});
    gate_.pending(Deny{"pin.mismatch"});
    EXPECT_EQ(mint_.minted_count(), 0U);
    EXPECT_EQ(port_->counters().established, 0U);
  });
}

TEST_F(ProxyTest, connect_is_held_until_the_gate_speaks) {
  Origin origin(echo);
  publish(origin);
  on_loop([&] { gate_.silent = true; });
  Peer browser = dial();
  browser.send(connect_request(site_host + ":443"));
  ASSERT_TRUE(comes_true([&] { return gate_.pending != nullptr; }));
  EXPECT_FALSE(browser.has_input());
  on_loop([&] { gate_.pending(Allow{}); });
  EXPECT_EQ(browser.receive_head(), connection_established);
}

TEST_F(ProxyTest, another_certificate_is_refused_before_any_leaf_is_minted) {
  Origin origin(echo);
  publish(origin);
  origin.change_certificate();
  EXPECT_EQ(answer_to(connect_request(site_host + ":443")), "HTTP/1.1 502 Bad Gateway");
  on_loop([&] {
    EXPECT_EQ(mint_.minted_count(), 0U);
    ASSERT_EQ(gate_.refusals.size(), 1U);
    EXPECT_EQ(gate_.refusals[0].second, "pin.mismatch");
  });
}

TEST_F(ProxyTest, each_of_many_connections_at_a_time_is_resumed) {
  Origin origin(echo);
  publish(origin);
  on_loop([&] { gate_.valid_for = std::chrono::seconds(60); });
  for (int round = 0; round < 3; ++round) {
    std::vector<Peer> browsers;
    for (int i = 0; i < 16; ++i) browsers.push_back(open(alpn_both));
    for (Peer& browser : browsers) {
      browser.write("x");
      EXPECT_EQ(browser.read(1), "x");
    }
  }
  EXPECT_GE(origin.resumed_count(), 32);
}

TEST_F(ProxyTest, a_browser_gets_a_session_ticket_with_its_first_data) {
  Origin origin(echo);
  publish(origin);
  Peer browser = open(alpn_both);
  EXPECT_EQ(SSL_SESSION_has_ticket(SSL_get0_session(browser.ssl())), 0);
  browser.write("x");
  EXPECT_EQ(browser.read(1), "x");
  EXPECT_EQ(SSL_SESSION_has_ticket(SSL_get0_session(browser.ssl())), 1);
}

}  // namespace
}  // namespace dotkey::host::proxy
