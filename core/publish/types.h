// SPDX-License-Identifier: Apache-2.0
// What a publisher is told, wants done and reports.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "core/base/error.h"
#include "core/dht/types.h"
#include "core/engine/time.h"
#include "core/record/signed_packet.h"
#include "core/relay/client.h"

namespace dotkey::publish {

using base::Bytes;
using base::ByteView;
using crypto::PublicKey;
using engine::Duration;
using engine::Instant;
using engine::Moment;
using engine::UnixTime;
using record::SignedPacket;

enum class PublishId : std::uint32_t {};
enum class PutId : std::uint32_t {};

enum class Source : std::uint8_t { dht, relay };
inline constexpr Source sources_of_all[] = {Source::dht, Source::relay};

struct Sources {
  bool dht = true;
  bool relay = true;

  [[nodiscard]] bool has(Source source) const { return source == Source::dht ? dht : relay; }
  [[nodiscard]] bool any() const { return dht || relay; }
  friend Sources operator&(Sources a, Sources b) { return {a.dht && b.dht, a.relay && b.relay}; }
};

struct Settings {
  // Which sources there are.
  Sources sources;
  // DHT nodes that must have stored a packet; where there are fewer in all, publishing warns.
  std::uint32_t dht_nodes_min = 10;
  std::uint32_t attempts_max = 4;
  Duration retry_delay = Duration::from_s(1);  // doubles; a random half is taken off
  Duration put_timeout = Duration::from_s(60);
  // Republication; without it rows are kept and nothing is put again. Each key waits for this, give
  // or take a tenth.
  bool republish = true;
  Duration interval = Duration::from_s(3600);
  Duration failure_delay = Duration::from_s(60);  // doubles, up to the interval
  std::uint32_t republish_parallel_max = 32;
  Duration republish_spacing = Duration::from_ms(50);  // between two starts
  // Without it relays are republished to only where there is no DHT.
  bool republish_to_relays = false;
  std::uint32_t keys_max = 100'000;
  std::uint32_t publishes_max = 4096;
};

struct Options {
  // Store only where the packet held has this timestamp.
  std::optional<std::int64_t> cas_us = std::nullopt;
  Sources sources = {};
  std::optional<std::uint32_t> dht_nodes_min = std::nullopt;
  // Republish it from now on, whoever holds the secret key.
  bool keep_alive = true;
};

// `error` is empty when the packet was stored on as many nodes as wanted.
struct Outcome {
  std::optional<base::Error> error;
  std::uint32_t dht_nodes = 0;  // by our own count, or the most that a relay reported
  std::vector<relay::RelayResult> relays;
  std::optional<SignedPacket> theirs;  // publish_conflict: what is in the way, where it was shown
  std::uint32_t attempts = 0;
};

// Effects, for the driver.
// Store the packet: in the DHT by put_mutable() without salt, at the relays by put(). The end comes
// back by the publisher's inputs.
struct StartPut {
  PutId id;
  Source source = Source::dht;
  SignedPacket packet;
  std::optional<std::int64_t> cas_us;
  bool compare_first = false;  // as of relay::PutOptions
};
// Find the newest packet of the key that anybody has; the answer comes back by on_looked().
struct StartLook {
  PublishId id;
  PublicKey key;
};
// The DHT refused the put without showing what it holds: get_mutable() without salt, which ends by
// on_dht_finished() too.
struct StartGet {
  PutId id;
  PublicKey key;
};
// The result of a StartPut or StartGet is no longer wanted.
struct StopPut {
  PutId id;
  Source source = Source::dht;
};
struct Published {
  PublishId id;
  SignedPacket ours;
  Outcome outcome;
};
// Keep this row, in place of the key's older one, for add_row() after the next start.
struct SaveRow {
  PublicKey key;
  Bytes row;
};
struct DropRow {
  PublicKey key;
};
// The network held a newer packet than the one republished; it takes its place.
struct Adopted {
  SignedPacket packet;
};
using Effect =
    std::variant<StartLook, StartPut, StartGet, StopPut, Published, SaveRow, DropRow, Adopted>;

// A key that is kept alive.
struct ScheduledKey {
  PublicKey key;
  std::int64_t timestamp_us = 0;
  UnixTime due;
  UnixTime stored_at;           // the last success; 0 for none
  std::uint32_t dht_nodes = 0;  // then
  std::uint32_t failures = 0;   // since then
};

}  // namespace dotkey::publish
