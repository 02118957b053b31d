// SPDX-License-Identifier: Apache-2.0
// Questions about keys, and the one outcome that each has.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "core/base/error.h"
#include "core/crypto/keys.h"
#include "core/engine/time.h"
#include "core/record/signed_packet.h"

namespace dotkey::resolve {

using crypto::PublicKey;
using engine::Duration;
using engine::Instant;
using engine::Moment;
using engine::UnixTime;
using record::SignedPacket;

enum class QuestionId : std::uint32_t {};
enum class LookupId : std::uint32_t {};

enum class Policy : std::uint8_t {
  cache,   // what is stored here, even stale; the network is not asked
  first,   // what is stored here while fresh, else the first packet that is not older
  newest,  // every source is asked, the newest packet wins
};

// "cache", "first", "newest".
std::string_view name_of(Policy policy);
std::optional<Policy> parse_policy(std::string_view text);

enum class Source : std::uint8_t { cache, dht, relay };

// "cache", "dht", "relay".
std::string_view name_of(Source source);

struct Sources {
  bool dht = true;
  bool relay = true;

  [[nodiscard]] bool has(Source source) const {
    return source == Source::dht ? dht : source == Source::relay && relay;
  }
  [[nodiscard]] bool any() const { return dht || relay; }
  friend Sources operator&(Sources a, Sources b) { return {a.dht && b.dht, a.relay && b.relay}; }
  friend bool operator==(Sources, Sources) = default;
};

inline constexpr Source network_sources[] = {Source::dht, Source::relay};

struct Settings {
  // Which sources there are; without any only the cache answers.
  Sources sources;
  Duration question_timeout = Duration::from_s(15);
  // A lookup goes on after the first answer, so that the cache gets the newest; not longer than
  // this.
  Duration lookup_timeout = Duration::from_s(30);
  // Under Policy::first a stale packet is answered at once while it is no staler than this, and the
  // network is asked for the next time (RFC 5861 §3).
  Duration stale_while_revalidate = Duration::from_s(300);
  // A packet staler than that waits this long for the network (RFC 8767 §5: 1.8 s).
  Duration stale_answer_delay = Duration::from_ms(1800);
  // When the network fails or has forgotten the key, a packet expired no longer than this ago is
  // still answered (RFC 5861 §4).
  Duration stale_if_error = Duration::from_s(7 * 86'400);
  std::uint32_t questions_max = 65'536;
  std::uint32_t lookups_max = 1024;
};

struct Options {
  Policy policy = Policy::first;
  // Absent: Settings::question_timeout.
  std::optional<Duration> timeout = std::nullopt;
  // To ask fewer sources than there are; the cache then does not answer either.
  Sources sources = {};
};

enum class Verdict : std::uint8_t {
  found,
  not_found,       // a source that can know says that there is no packet
  network_failed,  // nobody could say
  invalid,         // the newest item of the key is no signed packet
};

struct Outcome {
  Verdict verdict = Verdict::network_failed;
  std::optional<base::Error> error;    // all but found
  std::optional<SignedPacket> packet;  // found
  Source source = Source::cache;       // found
  UnixTime last_seen;                  // found: when a source last gave or confirmed it
  bool stale = false;                  // found: expired, for want of anything newer
  std::int64_t invalid_timestamp = 0;  // invalid

  // Seconds since last_seen; 0 where the clock was set back.
  [[nodiscard]] std::uint32_t age_s(UnixTime now) const;
};

// Effects, for the driver.
// Ask a source: the DHT by get_mutable() without salt, the relays by get(). Its findings and its
// end come back by the resolver's inputs, under the lookup's id.
struct StartLookup {
  LookupId id;
  Source source = Source::dht;
  PublicKey key;
  std::optional<std::int64_t> newer_than_us;
  bool thorough = false;  // relays: past their caches
};
// The answer is no longer wanted; nothing more need come back.
struct StopLookup {
  LookupId id;
  Source source = Source::dht;
};
// The cache took a packet new to it: what is kept on disk or republished may want to know.
struct PacketLearned {
  SignedPacket packet;
  UnixTime last_seen;
};
struct Answered {
  QuestionId id;
  Outcome outcome;
};
using Effect = std::variant<StartLookup, StopLookup, PacketLearned, Answered>;

struct Counters {
  std::uint64_t questions = 0;
  std::uint64_t answered_fresh = 0;  // from the cache
  std::uint64_t answered_stale = 0;
  std::uint64_t lookups = 0;
  std::uint64_t joined = 0;  // questions that waited for a lookup under way
};

}  // namespace dotkey::resolve
