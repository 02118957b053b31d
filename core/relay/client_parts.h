// SPDX-License-Identifier: Apache-2.0
// The inside of a relay client. client.cpp has the commands and the book-keeping,
// client_answers.cpp reads what relays answer.
#pragma once

#include <map>
#include <set>

#include "core/engine/effect_queue.h"
#include "core/relay/client.h"

namespace dotkey::relay {

struct Relay {
  std::string url;
  Health health;
  std::optional<base::ErrorCode> last_error;
};

struct Operation {
  Method method = Method::get;
  PublicKey key;
  GetOptions get_options;
  std::optional<SignedPacket> packet;  // to put
  PutOptions put_options;
  Outcome outcome;                                     // its results stand in the order of `relays`
  std::vector<std::optional<std::size_t>> results_of;  // relay → result
  std::uint32_t open = 0;                              // relays that have not answered for good
  std::uint32_t open_trusted = 0;
  std::uint32_t answered = 0;  // relays that did, other than by failing
  Instant started;
  std::optional<Instant> ends_at;  // whoever has not answered
};

// One request under way. It outlives its operation, so that a slow relay gets its verdict.
struct Exchange {
  OperationId operation{};
  std::size_t relay = 0;
  Instant sent_at;
  Instant deadline;
  bool trusted = true;
  bool if_modified_since = false;  // the header is in the request
  bool bypass_caches = false;      // asked again, past any HTTP cache on the way
  bool comparing = false;          // a get before the put
  bool holds_ours = false;         // the relay has the packet to put already
  // A get for the packet that stood in the way of a put, and how the relay put that.
  std::optional<RelayVerdict> conflict;
};

struct Client::Parts {
  Parts(ClientSettings const& s, engine::Entropy& e) : settings(s), entropy(&e) {}

  ClientSettings settings;
  engine::Entropy* entropy;
  std::vector<Relay> relays;
  std::map<OperationId, Operation> operations;
  std::map<FetchId, Exchange> exchanges;
  std::set<std::pair<Instant, FetchId>> deadlines;
  std::set<std::pair<Instant, OperationId>> operation_ends;
  engine::EffectQueue<ClientEffect> effects{65'536};
  std::uint32_t last_operation_id = 0;
  std::uint32_t last_fetch_id = 0;

  // client.cpp
  base::Result<OperationId> start(Moment now, Operation operation);
  [[nodiscard]] std::vector<std::size_t> relays_to_ask(Instant now) const;
  void send(Moment now, Operation const& operation, Exchange exchange);
  std::optional<Exchange> take(FetchId id);
  Operation* find_operation(OperationId id);
  void end_exchange(Moment now, Exchange const& exchange, RelayVerdict verdict,
                    std::optional<base::ErrorCode> error);
  void finish(OperationId id, std::optional<base::ErrorCode> error);
  [[nodiscard]] static std::optional<base::ErrorCode> verdict_of(Operation const& operation);
  void fail(Moment now, Exchange const& exchange, base::ErrorCode error);

  // client_answers.cpp
  void on_answer(Moment now, Exchange const& exchange, FetchResult const& result);
  void on_get_answer(Moment now, Exchange const& exchange, FetchResult const& result);
  void on_put_answer(Moment now, Exchange const& exchange, FetchResult const& result);
  void on_comparison(Moment now, Exchange const& exchange, FetchResult const& result);
  void put_unless_in_the_way(Moment now, Exchange const& exchange, SignedPacket held);
  void on_payload(Moment now, Exchange const& exchange, FetchResult const& result);
  void on_not_found(Moment now, Exchange const& exchange, FetchResult const& result);
  void on_refusal(Moment now, Exchange const& exchange, FetchResult const& result);
  void succeed(Moment now, Exchange const& exchange, RelayVerdict verdict);
  bool ask_again(Moment now, Exchange const& exchange, bool if_modified_since);
  void ask_for_the_packet_in_the_way(Moment now, Exchange const& exchange, RelayVerdict verdict);
  void keep_newest(Operation& operation, OperationId id, SignedPacket packet, UnixTime last_seen);
};

}  // namespace dotkey::relay
