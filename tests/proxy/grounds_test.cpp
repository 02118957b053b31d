// SPDX-License-Identifier: Apache-2.0
// How long the proxy keeps what its gate rests a connection on: for as long as that lives.
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "host/loop/clock.h"
#include "host/proxy/proxy.h"
#include "tests/proxy/static_gate.h"
#include "tests/proxy/tls_peer.h"

namespace dotkey::host::proxy {
namespace {

std::string const host = "yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no.key";
base::IpAddress const loopback = base::IpAddress::v4({127, 0, 0, 1});

void echo_one(tests::Peer& peer) {
  for (std::string byte = peer.read(1); !byte.empty(); byte = peer.read(1)) peer.write(byte);
}

class GroundsTest : public testing::Test {
 protected:
  GroundsTest() {
    gate_.routes[host] = {{host, origin_.port(), {loopback}, true}};
    gate_.pins = {origin_.certificate()};
    gate_.valid_for = std::chrono::seconds(60);
    on_loop([this] { port_ = proxy_.open_port({.listen = {loopback, 0}}, gate_).value(); });
  }
  ~GroundsTest() override {
    on_loop([this] { port_.reset(); });
    loop_.stop();
    thread_.join();
    std::filesystem::remove_all(directory_);
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

  // A browser's connection that has carried a byte each way.
  tests::Peer open() {
    auto peer = tests::Peer::connect(port_->endpoint().port);
    peer.send("CONNECT " + host + ":443 HTTP/1.1\r\nHost: " + host + ":443\r\n\r\n");
    EXPECT_TRUE(peer.receive_head().starts_with("HTTP/1.1 200"));
    EXPECT_TRUE(peer.start_tls(context_.get(), host));
    EXPECT_TRUE(peer.write("x"));
    EXPECT_EQ(peer.read(1), "x");
    return peer;
  }

  // Is what the gate gave with its first resolution still kept? The gate's own copies do not count.
  bool is_kept() {
    bool kept = false;
    on_loop([&] {
      gate_.evidences.clear();
      kept = !gate_.grounds_given.at(0).expired();
    });
    return kept;
  }

  static std::string make_directory() {
    char name[] = "/tmp/dotkey-proxy-XXXXXX";
    return ::mkdtemp(name);
  }

  std::string directory_ = make_directory();
  trust::LocalCa ca_ = trust::LocalCa::load_or_create(directory_, loop::unix_now()).value();
  trust::LeafMint mint_{ca_};
  SslContextPtr context_{SSL_CTX_new(TLS_client_method())};
  tests::Origin origin_{echo_one};
  boost::asio::io_context loop_{1};
  tests::StaticGate gate_;
  Proxy proxy_{loop_, mint_};
  std::unique_ptr<Port> port_;
  std::thread thread_{[this] {
    auto const guard = boost::asio::make_work_guard(loop_);
    loop_.run();
  }};
};

TEST_F(GroundsTest, a_connection_keeps_them_when_its_site_is_forgotten) {
  {
    tests::Peer const browser = open();
    on_loop([this] { port_->forget({host, 443}); });
    EXPECT_TRUE(is_kept());
  }
  auto const until = Clock::now() + std::chrono::seconds(20);
  while (is_kept() && Clock::now() < until) std::this_thread::yield();
  EXPECT_FALSE(is_kept());
}

TEST_F(GroundsTest, so_does_one_that_is_allowed_by_an_earlier_verdict) {
  {
    tests::Peer const first = open();
  }
  tests::Peer const second = open();
  on_loop([this] {
    EXPECT_EQ(gate_.resolve_count, 1U);
    port_->forget({host, 443});
  });
  EXPECT_TRUE(is_kept());
}

}  // namespace
}  // namespace dotkey::host::proxy
