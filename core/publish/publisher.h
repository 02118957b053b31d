// SPDX-License-Identifier: Apache-2.0
// Publishes packets with compare-and-swap, and keeps them alive by publishing them again. No secret
// key is needed: the signed packet itself is put back.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "core/base/result.h"
#include "core/engine/effect_queue.h"
#include "core/engine/entropy.h"
#include "core/publish/attempt.h"
#include "core/publish/schedule.h"
#include "core/relay/server.h"

namespace dotkey::publish {

// A state machine: after each command or input the driver drains poll_effect(), then arms one timer
// at next_deadline(). Due times follow the calendar, so that what fell due while the machine slept
// or was off is caught up with, at the same pace as ever.
class Publisher {
 public:
  // `entropy` outlives the publisher.
  Publisher(Settings const& settings, engine::Entropy& entropy);

  // Commands. Every publish ends in exactly one Published effect.
  // Errors: publish_busy; network_no_source.
  base::Result<PublishId> publish(Moment now, SignedPacket const& packet, Options const& options);
  // Keeps a packet alive that is published already. An older packet than the one kept is ignored.
  // Errors: publish_busy beyond keys_max.
  base::Result<void> keep_alive(Moment now, SignedPacket const& packet);
  // Stops keeping the key alive.
  void forget(PublicKey const& key);
  // A row that SaveRow gave earlier. Errors: publish_row_malformed; publish_busy beyond keys_max.
  base::Result<void> add_row(Moment now, ByteView row);
  void set_sources(Sources sources) { settings_.sources = sources; }
  // As of Settings. Turns that a shorter interval leaves too far off are drawn anew.
  void set_republication(Moment now, Duration interval, bool to_relays);

  // Inputs. An id that is no longer known is ignored.
  // `newest` is absent where nobody has a packet. An error: nobody could say.
  void on_looked(Moment now, PublishId id, base::Result<std::optional<SignedPacket>> const& newest);
  void on_dht_finished(Moment now, PutId id, dht::Outcome const& outcome);
  void on_relays_finished(Moment now, PutId id, relay::Outcome const& outcome);
  // The source could not even be asked.
  void on_not_started(Moment now, PutId id, Source source, base::ErrorCode error);
  // A verified packet came by; if it is newer than the one kept alive, it takes its place.
  void on_packet_seen(Moment now, SignedPacket const& packet);
  void on_deadline(Moment now);

  // Outputs.
  [[nodiscard]] std::optional<Effect> poll_effect() { return effects_.poll(); }
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] std::vector<ScheduledKey> scheduled() const { return schedule_.list(); }
  [[nodiscard]] std::size_t scheduled_count() const { return schedule_.size(); }
  [[nodiscard]] std::size_t puts_under_way() const { return puts_.size(); }

 private:
  // A publication that somebody waits for.
  struct Publication {
    SignedPacket packet;
    Options options;
    std::uint32_t attempts = 0;
    std::uint32_t dht_nodes = 0;  // the most over all attempts
    std::vector<relay::RelayResult> relays;
    std::optional<Instant> retry_at;
    bool looking = false;
  };
  struct Conditions {
    std::optional<std::int64_t> cas_us;  // for the DHT
    std::optional<std::int64_t> relay_cas_us;
    bool compare_first = false;
  };
  struct Put {
    Attempt attempt;
    std::optional<PublishId> publication;  // absent: a republication
    Instant deadline;
  };

  void start_put(Moment now, SignedPacket const& packet, Conditions const& conditions,
                 Sources sources, std::optional<PublishId> publication);
  void attempt_publication(Moment now, PublishId id);
  void review(Moment now, PutId id);
  void end_publication_put(Moment now, PublishId id, Attempt const& attempt);
  void end_republication(Moment now, Attempt const& attempt);
  void finish(Moment now, PublishId id, Outcome outcome);
  void retry_later(Moment now, PublishId id);

  void start_due(Moment now);
  void save(PublicKey const& key, ScheduleEntry const& entry);
  [[nodiscard]] Sources republish_sources() const;
  Duration jittered_interval();
  [[nodiscard]] Duration delay_after(std::uint32_t failures) const;
  void upsert(Moment now, SignedPacket const& packet, std::uint32_t dht_nodes);
  void draw_distant_anew(Moment now);

  Settings settings_;
  engine::Entropy* entropy_;
  Schedule schedule_;
  std::map<PublishId, Publication> publications_;
  std::set<PublicKey> publishing_;
  std::map<PutId, Put> puts_;
  std::set<std::pair<Instant, PutId>> put_deadlines_;
  std::set<std::pair<Instant, PublishId>> retries_;
  std::uint32_t republications_ = 0;  // under way
  Instant next_start_;
  Moment now_;  // when the publisher was last called
  engine::EffectQueue<Effect> effects_{65'536};
  std::uint32_t last_publish_ = 0;
  std::uint32_t last_put_ = 0;
};

// What a relay server tells its client.
relay::PublishAnswer answer_for_relay(Outcome const& outcome, bool had_condition);

}  // namespace dotkey::publish
