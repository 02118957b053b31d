// SPDX-License-Identifier: Apache-2.0
// A relay client and what its relays answer, for its tests.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/relay/client.h"

#include "tests/support/packets.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::relay {

using base::ErrorCode;
using test::a_record;
using test::key_pair;
using test::key_text;
using test::packet_of;

// 2024-03-04 16:50:04.412159 UTC
inline constexpr std::int64_t stamp_us = 1'709'571'004'412'159;

struct Answer {
  std::uint16_t status = 200;
  std::vector<HeaderView> headers;
  Bytes body;
};

class RelayClientTest : public testing::Test {
 protected:
  RelayClientTest() : client(ClientSettings{}, entropy) {
    EXPECT_TRUE(client.set_relays({"https://one.example/", "https://two.example/pkarr"}));
  }

  void use_one_relay() { EXPECT_TRUE(client.set_relays({"https://one.example"})); }

  // Moves new effects to where the tests look for them.
  void drain() {
    while (auto effect = client.poll_effect()) {
      if (auto* fetch = std::get_if<FetchUrl>(&*effect)) fetches.push_back(std::move(*fetch));
      if (auto* found = std::get_if<PacketFound>(&*effect)) found_packets.push_back(*found);
      if (auto* end = std::get_if<Finished>(&*effect)) finished.push_back(std::move(*end));
      if (auto* cancel = std::get_if<CancelFetch>(&*effect)) cancelled.push_back(cancel->id);
    }
  }

  FetchUrl take_fetch(std::string_view host = "one.example") {
    drain();
    for (auto at = fetches.begin(); at != fetches.end(); ++at) {
      if (at->url.find(host) == std::string::npos) continue;
      FetchUrl out = *at;
      fetches.erase(at);
      return out;
    }
    ADD_FAILURE() << "nothing was fetched from " << host;
    return {};
  }

  void answer(FetchUrl const& fetch, Answer const& a) {
    now.instant = now.instant + Duration::from_ms(50);
    client.on_fetched(now, fetch.id, {a.status, a.headers, a.body});
    drain();
  }

  Outcome take_outcome() {
    drain();
    if (finished.empty()) {
      ADD_FAILURE() << "nothing finished";
      return {};
    }
    Outcome out = std::move(finished.back().outcome);
    finished.pop_back();
    return out;
  }

  // A get from one relay that gives this answer.
  Outcome get_once(Answer const& a, GetOptions const& options = {}) {
    use_one_relay();
    EXPECT_TRUE(client.get(now, key, options));
    answer(take_fetch(), a);
    return take_outcome();
  }

  Outcome put_once(Answer const& a, PutOptions const& options = {}) {
    use_one_relay();
    EXPECT_TRUE(client.put(now, packet, options));
    answer(take_fetch(), a);
    return take_outcome();
  }

  static Bytes payload_of(SignedPacket const& p) { return base::to_bytes(p.relay_payload()); }

  test::SeededEntropy entropy{1};
  Client client;
  Moment now{Instant{1'000'000}, UnixTime{stamp_us + 60'000'000}};
  SignedPacket packet = packet_of(1, stamp_us, {a_record("www", "192.0.2.1")});
  PublicKey key = packet.key();
  std::vector<FetchUrl> fetches;
  std::vector<PacketFound> found_packets;
  std::vector<Finished> finished;
  std::vector<FetchId> cancelled;
};

inline std::optional<std::string> header_of(FetchUrl const& fetch, std::string_view name) {
  for (Header const& header : fetch.headers) {
    if (header.name == name) return header.value;
  }
  return std::nullopt;
}

}  // namespace dotkey::relay
