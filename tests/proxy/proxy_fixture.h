// SPDX-License-Identifier: Apache-2.0
// A proxy on a thread of its own, with a gate that answers from tables, and browsers for it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "host/loop/clock.h"
#include "host/proxy/answers.h"
#include "host/proxy/proxy.h"
#include "tests/proxy/static_gate.h"
#include "tests/proxy/tls_peer.h"

namespace dotkey::host::proxy {

using tests::Origin;
using tests::Peer;

inline std::string const site_host = "yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no.key";
inline base::IpAddress const loopback = base::IpAddress::v4({127, 0, 0, 1});
inline constexpr std::string_view alpn_both = "\x02h2\x08http/1.1";
inline constexpr std::string_view alpn_http1 = "\x08http/1.1";

// What was read comes back; after the end of it, "bye".
inline void echo(Peer& peer) {
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

}  // namespace dotkey::host::proxy
