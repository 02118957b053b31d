// SPDX-License-Identifier: Apache-2.0
// How long the proxy keeps what its gate rests a connection on: for as long as that lives.
#include <thread>

#include "tests/proxy/proxy_fixture.h"

namespace dotkey::host::proxy {
namespace {

class GroundsTest : public ProxyTest {
 protected:
  GroundsTest() {
    publish(origin_);
    on_loop([this] { gate_.valid_for = std::chrono::seconds(60); });
  }

  // A browser's connection that has carried a byte each way.
  Peer open_and_use() {
    Peer peer = open();
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

  Origin origin_{echo};
};

TEST_F(GroundsTest, a_connection_keeps_them_when_its_site_is_forgotten) {
  {
    Peer const browser = open_and_use();
    on_loop([this] { port_->forget({site_host, 443}); });
    EXPECT_TRUE(is_kept());
  }
  auto const until = Clock::now() + std::chrono::seconds(20);
  while (is_kept() && Clock::now() < until) std::this_thread::yield();
  EXPECT_FALSE(is_kept());
}

TEST_F(GroundsTest, so_does_one_that_is_allowed_by_an_earlier_verdict) {
  {
    Peer const first = open_and_use();
  }
  Peer const second = open_and_use();
  on_loop([this] {
    EXPECT_EQ(gate_.resolve_count, 1U);
    port_->forget({site_host, 443});
  });
  EXPECT_TRUE(is_kept());
}

}  // namespace
}  // namespace dotkey::host::proxy
