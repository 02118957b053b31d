// SPDX-License-Identifier: Apache-2.0
// A publisher and what comes of its puts, for its tests.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "core/publish/publisher.h"

#include "tests/support/packets.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::publish {

using base::ErrorCode;
using base::Result;
using test::a_record;
using test::key_pair;
using test::packet_of;

inline constexpr std::int64_t stamp_us = 1'709'571'004'412'159;

inline dht::Outcome stored_on(std::uint32_t nodes) {
  dht::Outcome out;
  out.stored = nodes;
  return out;
}

inline dht::Outcome refused(ErrorCode error, SignedPacket const& by) {
  dht::Outcome out;
  out.error = error;
  dht::MutableItem item;
  item.key = by.key();
  item.sequence = by.timestamp_us();
  item.value = by.item_value();
  item.signature = by.signature();
  out.item = item;
  return out;
}

inline dht::Outcome failed(ErrorCode error) {
  dht::Outcome out;
  out.error = error;
  return out;
}

inline relay::Outcome relays(relay::RelayVerdict verdict, std::optional<ErrorCode> error,
                             std::uint32_t dht_nodes = 0) {
  relay::Outcome out;
  out.error = error;
  out.stored = verdict == relay::RelayVerdict::stored ? 1 : 0;
  out.dht_nodes = dht_nodes;
  out.relays.push_back({"https://one.example", verdict, error, dht_nodes});
  return out;
}

class PublisherTest : public testing::Test {
 protected:
  void restart(Settings const& settings) { publisher.emplace(settings, entropy); }

  void publish(SignedPacket const& p, Options const& options = {}) {
    auto const id = publisher->publish(now, p, options);
    ASSERT_TRUE(id);
    drain();
  }

  void drain() {
    while (auto effect = publisher->poll_effect()) {
      if (auto* look = std::get_if<StartLook>(&*effect)) looks.push_back(*look);
      if (auto* put = std::get_if<StartPut>(&*effect)) puts.push_back(std::move(*put));
      if (auto* get = std::get_if<StartGet>(&*effect)) gets.push_back(*get);
      if (auto* end = std::get_if<Published>(&*effect)) published.push_back(std::move(*end));
      if (auto* save = std::get_if<SaveRow>(&*effect)) rows.insert_or_assign(save->key, save->row);
      if (auto* drop = std::get_if<DropRow>(&*effect)) rows.erase(drop->key);
      if (auto* adopt = std::get_if<Adopted>(&*effect)) adopted.push_back(adopt->packet);
    }
  }

  StartPut take_put(Source source) {
    auto const found = std::find_if(puts.begin(), puts.end(),
                                    [&](StartPut const& put) { return put.source == source; });
    EXPECT_NE(found, puts.end());
    StartPut out = *found;
    puts.erase(found);
    return out;
  }
  void dht_ends(dht::Outcome const& outcome) {
    publisher->on_dht_finished(now, take_put(Source::dht).id, outcome);
    drain();
  }
  void relays_end(relay::Outcome const& outcome) {
    publisher->on_relays_finished(now, take_put(Source::relay).id, outcome);
    drain();
  }

  void pass(Duration duration) {
    now.instant = now.instant + duration;
    now.unix_time = now.unix_time + duration;
    wake();
  }
  void wake() {
    while (publisher->next_deadline() && *publisher->next_deadline() <= now.instant) {
      publisher->on_deadline(now);
      drain();
    }
  }
  // What anybody has, asked before a conditional publication.
  void look_ends(Result<std::optional<SignedPacket>> const& newest) {
    ASSERT_EQ(looks.size(), 1U);
    publisher->on_looked(now, looks.back().id, newest);
    looks.clear();
    drain();
  }
  Outcome outcome() {
    EXPECT_EQ(published.size(), 1U);
    if (published.empty()) return {};
    Outcome out = published.back().outcome;
    published.clear();
    return out;
  }

  test::SeededEntropy entropy{1};
  std::optional<Publisher> publisher{std::in_place, Settings{}, entropy};
  Moment now{Instant{1}, UnixTime{stamp_us + 100'000'000}};
  SignedPacket packet = packet_of(1, stamp_us, {a_record("www", "192.0.2.1", 600)});
  SignedPacket newer = packet_of(1, stamp_us + 5, {});
  std::vector<StartLook> looks;
  std::vector<StartPut> puts;
  std::vector<StartGet> gets;
  std::vector<Published> published;
  std::map<PublicKey, Bytes> rows;
  std::vector<SignedPacket> adopted;
};

}  // namespace dotkey::publish
