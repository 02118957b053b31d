// SPDX-License-Identifier: Apache-2.0
// What an api::Node is told, wants done and reports.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "core/cache/packet_cache.h"
#include "core/dht/node.h"
#include "core/publish/types.h"
#include "core/relay/client.h"
#include "core/resolve/endpoints.h"
#include "core/resolve/types.h"

namespace dotkey::api {

using crypto::PublicKey;
using engine::Duration;
using engine::Instant;
using engine::Moment;
using engine::UnixTime;
using record::SignedPacket;

// A command of the application; never used twice.
enum class RequestId : std::uint64_t {};
// A DHT operation that the driver carries out.
enum class DhtId : std::uint64_t {};

// Which networks there are.
struct Sources {
  bool dht = true;
  bool relay = true;
};

struct Settings {
  cache::Settings cache;
  resolve::Settings resolve;
  publish::Settings publish;
  relay::ClientSettings relay;
  std::uint32_t searches_max = 4096;
};

// What of the settings may change while the node lives.
struct ChangeableSettings {
  std::uint32_t cache_entries_max = 0;
  Duration republish_interval;
  bool republish_to_relays = false;
};

// Packets kept for longer than a process lives: a database, or nothing.
class PacketArchive {
 public:
  struct Stored {
    SignedPacket packet;  // verified
    UnixTime last_seen;
  };

  virtual ~PacketArchive() = default;
  virtual std::optional<Stored> find(PublicKey const& key) = 0;
};

struct EndpointOptions {
  resolve::Options resolve;
  // End as soon as one endpoint has its place, rather than when nothing is left to ask.
  bool first_will_do = false;
};

// Effects, for the driver.
// Run get_mutable() without salt; what it finds and its end come back by on_dht_… of the id.
struct StartDhtGet {
  DhtId id;
  PublicKey key;
  dht::GetOptions options;
};
// Run put_mutable(); its end comes back likewise.
struct StartDhtPut {
  DhtId id;
  dht::MutableItem item;
  dht::PutOptions options;
};
// The result is no longer wanted.
struct CancelDht {
  DhtId id;
};
// Put this packet into the archive, unless a more recent one of its key is there.
struct StorePacket {
  SignedPacket packet;
  UnixTime last_seen;
};
// The answers; each command that returned an id has exactly one.
struct Resolved {
  RequestId id;
  resolve::Outcome outcome;
};
struct EndpointsFound {
  RequestId id;
  resolve::EndpointSearch search;  // with its endpoints, trace and packets
};
struct Published {
  RequestId id;
  SignedPacket ours;
  publish::Outcome outcome;
};
// What goes on about a key, for whoever watches.
struct Progress {
  PublicKey key;
  dht::Tally tally;
  std::uint32_t stored = 0;
};

using Effect = std::variant<StartDhtGet, StartDhtPut, CancelDht, relay::FetchUrl,
                            relay::CancelFetch, StorePacket, publish::SaveRow, publish::DropRow,
                            publish::Adopted, Resolved, EndpointsFound, Published, Progress>;

// A key kept alive, and the newer packet of another device that took ours' place, if one did.
struct KeptKey {
  publish::ScheduledKey schedule;
  std::optional<std::int64_t> adopted_timestamp_us;
  UnixTime adopted_at;
};

struct Status {
  std::uint32_t cache_entries = 0;
  std::uint64_t cache_bytes = 0;
  cache::Counters cache;
  resolve::Counters resolve;
  std::size_t lookups = 0;   // under way
  std::size_t searches = 0;  // under way
  std::size_t puts = 0;      // under way
  std::size_t keys_kept_alive = 0;
};

}  // namespace dotkey::api
