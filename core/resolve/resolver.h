// SPDX-License-Identifier: Apache-2.0
// Key → signed packet: from the cache, the DHT and the relays, raced.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "core/base/result.h"
#include "core/cache/packet_cache.h"
#include "core/engine/effect_queue.h"
#include "core/relay/server.h"
#include "core/resolve/lookup.h"
#include "core/resolve/types.h"

namespace dotkey::resolve {

// A state machine: after each command or input the driver drains poll_effect(), then arms one timer
// at next_deadline(). Every question ends in exactly one Answered effect. Questions about one key
// share a lookup. A source that is switched off is neither asked nor waited for.
class Resolver {
 public:
  // `cache` outlives the resolver; others may read and fill it too.
  Resolver(Settings const& settings, cache::PacketCache& cache);

  // Commands. Errors: resolve_busy.
  base::Result<QuestionId> ask(Moment now, PublicKey const& key, Options const& options);
  // The answer is then network_failed with the error `cancelled`.
  void cancel(QuestionId id);
  void set_sources(Sources sources) { settings_.sources = sources; }

  // Inputs. An id that is no longer known is ignored.
  void on_item(Moment now, LookupId id, dht::MutableItem const& item);
  void on_dht_finished(Moment now, LookupId id, dht::Outcome const& outcome);
  void on_packet(Moment now, LookupId id, SignedPacket const& packet, UnixTime last_seen);
  void on_relays_finished(Moment now, LookupId id, relay::Outcome const& outcome);
  // The source could not even be asked.
  void on_not_started(Moment now, LookupId id, Source source, base::ErrorCode error);
  void on_deadline(Moment now);

  // Outputs.
  [[nodiscard]] std::optional<Effect> poll_effect() { return effects_.poll(); }
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] Counters const& counters() const { return counters_; }
  [[nodiscard]] std::size_t questions() const { return questions_.size(); }
  [[nodiscard]] std::size_t lookups() const { return lookups_.size(); }

 private:
  struct Question {
    PublicKey key;
    Policy policy = Policy::first;
    Sources sources;
    bool may_use_cache = true;
    LookupId lookup{};
    Instant wakes_at;  // its time is up, or a stale packet has waited long enough
  };

  std::optional<Outcome> answer_from_cache(Moment now, PublicKey const& key, Policy policy,
                                           bool& revalidate);
  [[nodiscard]] std::optional<LookupId> lookup_for(PublicKey const& key, bool thorough) const;
  LookupId join(Moment now, PublicKey const& key, bool thorough, Sources sources);
  void start(Lookup& lookup, LookupId id, Source source);
  void learn(Moment now, LookupId id, Finding finding);
  void end_source(Moment now, LookupId id, Source source, SourceEnd const& end);
  void review(Moment now, LookupId id);
  void finish(Moment now, LookupId id);

  [[nodiscard]] std::optional<Outcome> early_outcome(Moment now, Question const& question,
                                                     Lookup const& lookup) const;
  [[nodiscard]] Outcome final_outcome(Moment now, Question const& question,
                                      Lookup const& lookup) const;
  [[nodiscard]] std::optional<Outcome> cached_outcome(Moment now, Question const& question) const;
  [[nodiscard]] std::optional<Outcome> stale_outcome(Moment now, Question const& question) const;
  void answer(QuestionId id, Outcome outcome);

  Settings settings_;
  cache::PacketCache* cache_;
  std::map<QuestionId, Question> questions_;
  std::map<LookupId, Lookup> lookups_;
  std::map<std::pair<PublicKey, bool>, LookupId> lookups_of_keys_;  // bool: thorough
  std::set<std::pair<Instant, QuestionId>> question_deadlines_;
  std::set<std::pair<Instant, LookupId>> lookup_deadlines_;
  engine::EffectQueue<Effect> effects_{65'536};
  Counters counters_;
  std::uint32_t last_question_ = 0;
  std::uint32_t last_lookup_ = 0;
};

// What a relay server tells its client.
relay::ResolveAnswer answer_for_relay(Outcome const& outcome);
Policy policy_of(relay::Policy policy);

}  // namespace dotkey::resolve
