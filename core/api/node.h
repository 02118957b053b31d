// SPDX-License-Identifier: Apache-2.0
// The whole core behind one door: cache, resolver, endpoint searches, publisher and relay client,
// connected. The native program and the browser's module drive this very class.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/api/types.h"
#include "core/base/result.h"
#include "core/engine/effect_queue.h"
#include "core/engine/entropy.h"
#include "core/publish/publisher.h"
#include "core/resolve/resolver.h"

namespace dotkey::api {

// A state machine: after each command or input the driver drains poll_effect(), then arms one timer
// at next_deadline(). The DHT node is the driver's; this class says what to ask it.
class Node {
 public:
  // `entropy` and `archive` outlive the node; without an archive it remembers what its cache does.
  Node(Settings const& settings, engine::Entropy& entropy, PacketArchive* archive = nullptr);

  // Which networks there are; relays count only where set_relays() gave some. Both at first.
  void set_sources(Sources sources);
  // Errors: relay_url_malformed; number_out_of_range beyond ClientSettings::relays_max.
  base::Result<void> set_relays(std::vector<std::string> const& urls);
  void change_settings(Moment now, ChangeableSettings const& settings);

  // Commands. Errors: resolve_busy.
  base::Result<RequestId> resolve(Moment now, PublicKey const& key,
                                  resolve::Options const& options);
  base::Result<RequestId> find_endpoints(Moment now, resolve::EndpointQuery query,
                                         EndpointOptions const& options);
  // A packet older than one known of its key is a conflict at once. Errors: publish_busy;
  // network_no_source.
  base::Result<RequestId> publish(Moment now, SignedPacket const& packet,
                                  publish::Options const& options);
  // A question is then answered `cancelled`, a search ends with what it has; a publication goes on.
  void cancel(Moment now, RequestId id);
  // As of publish::Publisher; a newer packet that is known is kept alive in its place.
  base::Result<void> keep_alive(Moment now, SignedPacket const& packet);
  void forget(Moment now, PublicKey const& key);
  base::Result<void> add_row(Moment now, base::ByteView row);

  // Inputs. An id that is no longer known is ignored.
  void on_dht_item(Moment now, DhtId id, dht::MutableItem const& item);
  void on_dht_progress(Moment now, DhtId id, dht::Tally const& tally, std::uint32_t stored);
  void on_dht_finished(Moment now, DhtId id, dht::Outcome const& outcome);
  // The DHT could not even be asked.
  void on_dht_not_started(Moment now, DhtId id, base::ErrorCode error);
  void on_fetched(Moment now, relay::FetchId id, relay::FetchResult const& result);
  void on_fetch_failed(Moment now, relay::FetchId id, relay::FetchFailure failure);
  void on_deadline(Moment now);

  // Outputs.
  [[nodiscard]] std::optional<Effect> poll_effect() { return effects_.poll(); }
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  // Queries. The newest packet known here, however old: what a new one must come after.
  [[nodiscard]] std::optional<SignedPacket> newest_known(Moment now, PublicKey const& key);
  [[nodiscard]] std::vector<KeptKey> kept_alive() const;
  [[nodiscard]] std::vector<relay::RelayStatus> relays() const { return relays_.status(); }
  [[nodiscard]] Status status() const;

 private:
  // What a DHT or relay operation was started for.
  using Purpose = std::variant<resolve::LookupId, publish::PutId>;
  struct DhtOperation {
    Purpose purpose;
    PublicKey key;
  };
  struct Search {
    resolve::EndpointSearch search;
    EndpointOptions options;
    std::vector<resolve::QuestionId> questions;  // not answered yet
  };
  struct SearchQuestion {
    RequestId search;
    PublicKey key;
  };

  // node.cpp
  RequestId next_request() { return RequestId{++last_request_}; }
  void apply_sources();
  void load_from_archive(Moment now, PublicKey const& key);
  void remember(Moment now, SignedPacket const& packet);
  void pump(Moment now);

  // node_inputs.cpp
  bool pump_resolver(Moment now);
  bool pump_publisher(Moment now);
  void take(Moment now, resolve::Effect effect);
  void take(Moment now, publish::Effect effect);
  void start_look(Moment now, publish::StartLook const& start);
  bool take_look_answer(Moment now, resolve::QuestionId question, resolve::Outcome& outcome);
  void start_dht_get(Purpose purpose, PublicKey const& key, dht::GetOptions const& options);
  void start_dht_put(publish::PutId put, SignedPacket const& packet,
                     std::optional<std::int64_t> cas_us);
  void stop_dht(Purpose const& purpose);

  // node_relays.cpp
  bool pump_relays(Moment now);
  void take(Moment now, relay::ClientEffect effect);
  void start_relay_get(Moment now, resolve::StartLookup const& start);
  void start_relay_put(Moment now, publish::StartPut const& start);
  void stop_relays(Purpose const& purpose);

  // node_searches.cpp
  void ask_for_wanted(Moment now, RequestId id);
  bool take_search_answer(Moment now, resolve::QuestionId question, resolve::Outcome& outcome);
  void end_search_if_done(RequestId id);
  void end_search(RequestId id);

  Settings settings_;
  Sources sources_;
  engine::Entropy* entropy_;
  PacketArchive* archive_;
  cache::PacketCache cache_;
  relay::Client relays_;
  resolve::Resolver resolver_;
  publish::Publisher publisher_;

  std::map<resolve::QuestionId, RequestId> questions_;
  std::map<RequestId, resolve::QuestionId> questions_of_requests_;
  std::map<RequestId, Search> searches_;
  std::map<resolve::QuestionId, SearchQuestion> search_questions_;
  std::map<publish::PublishId, RequestId> publications_;
  std::map<resolve::QuestionId, publish::PublishId> looks_;  // before a conditional publication

  struct Adoption {
    std::int64_t timestamp_us = 0;
    UnixTime at;
  };
  std::map<PublicKey, Adoption> adoptions_;  // of keys kept alive

  std::map<DhtId, DhtOperation> dht_operations_;
  std::map<Purpose, DhtId> dht_operations_of_;
  std::map<relay::OperationId, Purpose> relay_operations_;
  std::map<Purpose, relay::OperationId> relay_operations_of_;

  engine::EffectQueue<Effect> effects_{65'536};
  std::uint64_t last_request_ = 0;
  std::uint64_t last_dht_ = 0;
};

}  // namespace dotkey::api
