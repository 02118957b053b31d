// SPDX-License-Identifier: Apache-2.0
// A DHT node with operations under way, fed datagrams. The input is a list of datagrams, each
// behind two bytes of length; a datagram whose transaction id is "ANSW" gets that of the request
// sent last, so that answers reach the operations.
#include <algorithm>

#include "core/base/assert.h"
#include "core/base/integers.h"
#include "core/crypto/ed25519.h"
#include "core/dht/node.h"

#include "tests/support/seeded_entropy.h"

namespace {

using namespace dotkey;

constexpr std::size_t datagrams_max = 64;
constexpr std::size_t reply_size_max = 1400;

struct Driver {
  test::SeededEntropy entropy{1};
  engine::Instant now{1};
  base::Endpoint peer{base::IpAddress::v4({8, 8, 8, 8}), 6881};
  dht::Node node;
  base::Bytes last_tid = base::Bytes(4);

  Driver() : node(settings(), entropy, now) {}

  static dht::Settings settings() {
    dht::Settings out;
    out.mode = dht::Mode::server;
    out.ipv6 = true;
    return out;
  }

  void drain() {
    while (auto effect = node.poll_effect()) {
      auto* const send = std::get_if<dht::SendDatagram>(&*effect);
      if (send == nullptr) continue;
      DOTKEY_ASSERT(send->payload.size() <= reply_size_max);
      auto const message = wire::krpc::parse_message(send->payload);
      DOTKEY_ASSERT(message);
      if (message->kind != wire::krpc::Kind::query) continue;
      last_tid = base::to_bytes(message->transaction_id);
      peer = send->to;
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  Driver driver;
  crypto::KeyPair const pair{crypto::Seed{}};
  auto const& key = pair.public_key();
  driver.node.add_bootstrap_nodes(driver.now, std::vector{driver.peer});
  static_cast<void>(driver.node.get_mutable(driver.now, key, {}, {}));
  static_cast<void>(driver.node.get_peers(driver.now, dht::NodeId{}));
  static_cast<void>(driver.node.put_immutable(driver.now, base::view_of("1:x")));
  driver.drain();
  base::ByteView rest(data, size);
  for (std::size_t i = 0; i < datagrams_max && rest.size() > 2; ++i) {
    std::size_t const length =
        std::min<std::size_t>(base::read_be<std::uint16_t>(rest), rest.size() - 2);
    auto datagram = base::to_bytes(rest.subspan(2, length));
    rest = rest.subspan(2 + length);
    constexpr std::string_view placeholder = "1:t4:ANSW";
    auto const found =
        std::search(datagram.begin(), datagram.end(), placeholder.begin(), placeholder.end());
    if (found != datagram.end())
      std::copy(driver.last_tid.begin(), driver.last_tid.end(), found + 5);
    driver.node.on_datagram(driver.now, driver.peer, datagram);
    driver.drain();
    driver.now = driver.now + engine::Duration::from_ms(150);
    if (driver.node.next_deadline() <= driver.now) driver.node.on_deadline(driver.now);
    driver.drain();
  }
  DOTKEY_ASSERT(driver.node.encode_state().size() <= 64 * 1024);
  return 0;
}
