// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/proxy.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/loop/clock.h"
#include "host/proxy/answers.h"
#include "tests/proxy/static_gate.h"
#include "tests/proxy/tls_peer.h"

namespace dotkey::host::proxy {
namespace {

using tests::Origin;
using tests::Peer;

std::string const site_host = "yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no.key";
base::IpAddress const loopback = base::IpAddress::v4({127, 0, 0, 1});
constexpr std::string_view alpn_both = "\x02h2\x08http/1.1";
constexpr std::string_view alpn_http1 = "\x08http/1.1";

// What was read comes back; after the end of it, "bye".
void echo(Peer& peer) {
  char buffer[16384];
  int n = 0;
  while ((n = SSL_read(peer.ssl(), buffer, sizeof buffer)) > 0) {
    if (!peer.write({buffer, static_cast<std::size_t>(n)})) return;
  }
  peer.write("bye");
  peer.end_writing();
}

class ProxyTest : public testing::Test {
 protected:
  ProxyTest() { start({}); }

  ~ProxyTest() override {
    on_loop([this] { port_.reset(); });
    loop_.stop();
    thread_.join();
    std::filesystem::remove_all(directory_);
  }

  void start(PortSettings settings) {
    settings.listen = {loopback, 0};
    on_loop([&] { port_ = proxy_.open_port(std::move(settings), gate_).value(); });
  }

  template <class Work>
  void on_loop(Work work) {
    std::promise<void> done;
    boost::asio::post(loop_, [&] {
      work();
      done.set_value();
    });
    done.get_future().get();
  }

  // Runs `holds` on the loop until it says true: ten seconds at most.
  template <class Condition>
  bool comes_true(Condition holds) {
    auto const until = Clock::now() + std::chrono::seconds(10);
    bool result = false;
    while (!result && Clock::now() < until) {
      on_loop([&] { result = holds(); });
    }
    return result;
  }

  void publish(Origin& origin) {
    on_loop([&] {
      gate_.routes[site_host] = {{site_host, origin.port(), {loopback}, true}};
      gate_.pins = {origin.certificate()};
    });
  }

  Peer dial() { return Peer::connect(port_->endpoint().port); }

  static std::string connect_request(std::string const& authority, std::string const& more = "") {
    return "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n" + more + "\r\n";
  }

  // The answer's status line to a CONNECT.
  std::string answer_to(std::string const& request) {
    Peer peer = dial();
    peer.send(request);
    std::string const head = peer.receive_head();
    return head.substr(0, head.find("\r\n"));
  }

  // A browser's connection with the padlock: the proxy's root trusted, the name checked.
  Peer open(std::string_view alpn = {}) {
    Peer peer = dial();
    peer.send(connect_request(site_host + ":443"));
    EXPECT_EQ(peer.receive_head(), connection_established);
    EXPECT_TRUE(peer.start_tls(trusting_.get(), site_host, alpn));
    return peer;
  }

  static tests::SslContextPtr trust_only(X509* root) {
    tests::SslContextPtr context(SSL_CTX_new(TLS_client_method()));
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    return context;
  }

  static std::string make_directory() {
    char name[] = "/tmp/dotkey-proxy-XXXXXX";
    return ::mkdtemp(name);
  }

  std::string directory_ = make_directory();
  trust::LocalCa ca_ = trust::LocalCa::load_or_create(directory_, loop::unix_now()).value();
  trust::LeafMint mint_{ca_};
  tests::SslContextPtr trusting_ = trust_only(ca_.signer().certificate.get());
  boost::asio::io_context loop_{1};
  tests::StaticGate gate_;
  Proxy proxy_{loop_, mint_};
  std::unique_ptr<Port> port_;
  std::thread thread_{[this] { loop_.run(); }};
};

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
  EXPECT_EQ(origin.resumed_count(), 1);
  on_loop([&] {
    EXPECT_EQ(gate_.evidences.size(), 3U);  // the old chain, the old one resumed, the new one
    EXPECT_TRUE(gate_.refusals.empty());
  });
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

}  // namespace
}  // namespace dotkey::host::proxy
