// SPDX-License-Identifier: Apache-2.0
// What passes through a tunnel, and how it ends.
#include <atomic>
#include <vector>

#include "tests/proxy/proxy_fixture.h"

namespace dotkey::host::proxy {
namespace {

TEST_F(ProxyTest, the_browser_and_the_site_speak_the_same_protocol) {
  // The site says what was agreed with it, since connections made ahead agree on other things.
  Origin origin([](Peer& peer) { peer.write("<" + peer.alpn() + ">"); });
  publish(origin);
  Peer both = open(alpn_both);
  EXPECT_EQ(both.alpn(), "h2");
  EXPECT_EQ(both.read(4), "<h2>");
  Peer http1 = open(alpn_http1);
  EXPECT_EQ(http1.alpn(), "http/1.1");
  EXPECT_EQ(http1.read(10), "<http/1.1>");
  Peer neither = open();
  EXPECT_EQ(neither.alpn(), "");
  EXPECT_EQ(neither.read(2), "<>");
}

TEST_F(ProxyTest, a_hello_in_single_bytes_is_understood) {
  Origin origin(echo);
  publish(origin);
  Peer browser = dial();
  browser.send(connect_request(site_host + ":443"));
  ASSERT_EQ(browser.receive_head(), connection_established);
  // A memory BIO makes the hello; the socket then carries it byte by byte.
  tests::SslPtr ssl(SSL_new(trusting_.get()));
  SSL_set_tlsext_host_name(ssl.get(), site_host.c_str());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_connect(ssl.get());
  char* data = nullptr;
  long const size = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &data);
  for (long i = 0; i < size; ++i) browser.send({data + i, 1});
  char answer[6];
  ASSERT_EQ(::recv(browser.fd(), answer, sizeof answer, MSG_WAITALL), 6);
  EXPECT_EQ(answer[0], 22);  // handshake ...
  EXPECT_EQ(answer[5], 2);   // ... ServerHello
}

TEST_F(ProxyTest, what_is_no_hello_or_for_another_name_ends_the_tunnel) {
  Origin origin(echo);
  publish(origin);
  Peer plain = dial();
  plain.send(connect_request(site_host + ":443"));
  ASSERT_EQ(plain.receive_head(), connection_established);
  plain.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(plain.receive_head(), "");
  Peer other = dial();
  other.send(connect_request(site_host + ":443"));
  ASSERT_EQ(other.receive_head(), connection_established);
  EXPECT_FALSE(other.start_tls(trusting_.get(), "www." + site_host));
  on_loop([&] { EXPECT_EQ(mint_.minted_count(), 0U); });
}

TEST_F(ProxyTest, a_cut_off_answer_looks_cut_off) {
  Origin origin([](Peer& peer) {
    peer.read(4);
    peer.write("half of it");
  });
  publish(origin);
  Peer browser = open();
  browser.write("send");
  bool clean = true;
  EXPECT_EQ(browser.read_to_end(clean), "half of it");
  EXPECT_FALSE(clean);
}

TEST_F(ProxyTest, either_side_may_end_first) {
  Origin origin(echo);
  publish(origin);
  Peer browser = open();
  browser.write("last words");
  browser.end_writing();
  bool clean = false;
  EXPECT_EQ(browser.read_to_end(clean), "last wordsbye");
  EXPECT_TRUE(clean);
  EXPECT_TRUE(comes_true([&] { return port_->open_count() == 0; }));
}

TEST_F(ProxyTest, a_reader_that_waits_holds_the_sender_back) {
  constexpr int blocks = 64;  // of 1 MB: far more than all the kernel's buffers on the way
  std::string const block(1 << 20, 'b');
  std::atomic<int> sent = 0;
  Origin origin([&](Peer& peer) {
    peer.read(1);
    while (sent < blocks && peer.write(block)) ++sent;
    peer.end_writing();
  });
  publish(origin);
  Peer browser = open();
  browser.write("g");
  int before = -1;
  auto since = Clock::now();
  ASSERT_TRUE(comes_true([&] {
    if (sent != before) since = Clock::now();
    before = sent;
    return sent > 0 && Clock::now() - since > std::chrono::milliseconds(300);
  }));
  EXPECT_LT(sent, blocks);
  int whole = 0;
  for (int i = 0; i < blocks; ++i) whole += browser.read(block.size()) == block ? 1 : 0;
  EXPECT_EQ(whole, blocks);
  bool clean = false;
  EXPECT_EQ(browser.read_to_end(clean), "");
  EXPECT_TRUE(clean);
}

TEST_F(ProxyTest, two_hundred_tunnels_do_not_mix) {
  Origin origin(echo);
  publish(origin);
  on_loop([&] { gate_.valid_for = std::chrono::seconds(60); });
  std::vector<Peer> browsers;
  for (int i = 0; i < 200; ++i) browsers.push_back(open());
  for (std::size_t i = 0; i < browsers.size(); ++i) {
    browsers[i].write(std::string(3000 + i, static_cast<char>('a' + i % 26)));
  }
  for (std::size_t i = 0; i < browsers.size(); ++i) {
    EXPECT_EQ(browsers[i].read(3000 + i), std::string(3000 + i, static_cast<char>('a' + i % 26)));
  }
  on_loop([&] {
    EXPECT_EQ(port_->open_count(), 200U);
    EXPECT_EQ(gate_.evidences.size(), 1U);
  });
}

TEST_F(ProxyTest, a_silent_tunnel_ends_when_its_time_is_over_and_a_used_one_goes_on) {
  PortSettings settings;
  settings.idle_timeout = std::chrono::seconds(5);
  start(settings);
  Origin origin(echo);
  publish(origin);
  Peer silent = open();
  Peer used = open();
  for (int second = 0; second < 7; ++second) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    ASSERT_TRUE(used.write("x"));
    ASSERT_EQ(used.read(1), "x");
  }
  bool clean = true;
  EXPECT_EQ(silent.read_to_end(clean), "");
  EXPECT_FALSE(clean);
  EXPECT_TRUE(comes_true([&] { return port_->open_count() == 1; }));
}

TEST_F(ProxyTest, closing_the_port_closes_what_runs_through_it) {
  Origin origin(echo);
  publish(origin);
  Peer browser = open();
  on_loop([&] { port_.reset(); });
  bool clean = true;
  EXPECT_EQ(browser.read_to_end(clean), "");
  EXPECT_FALSE(clean);
}

TEST_F(ProxyTest, a_site_that_speaks_first_is_heard) {
  Origin origin([](Peer& peer) {
    peer.write("welcome");
    peer.read(4);
  });
  publish(origin);
  on_loop([&] { gate_.valid_for = std::chrono::seconds(60); });
  for (int i = 0; i < 2; ++i) {
    Peer browser = open(alpn_http1);
    EXPECT_EQ(browser.read(7), "welcome");
    browser.write("done");
  }
}

}  // namespace
}  // namespace dotkey::host::proxy
