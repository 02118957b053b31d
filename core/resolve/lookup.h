// SPDX-License-Identifier: Apache-2.0
// One key being asked for in the network, and what each source has said so far.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/dht/types.h"
#include "core/relay/client.h"
#include "core/resolve/types.h"

namespace dotkey::resolve {

struct Finding {
  SignedPacket packet;
  UnixTime last_seen;
  Source source = Source::dht;
};

// How a source ended.
struct SourceEnd {
  // Nothing newer than the packet cached: it is confirmed.
  bool confirmed = false;
  // It answered and has no packet.
  bool not_found = false;
  // Why it could not say; empty when it could.
  std::optional<base::ErrorCode> error;
};

SourceEnd end_of(dht::Outcome const& outcome);
SourceEnd end_of(relay::Outcome const& outcome);

class Lookup {
 public:
  Lookup(PublicKey const& key, bool thorough, Instant deadline)
      : key_(key), thorough_(thorough), deadline_(deadline) {}

  [[nodiscard]] PublicKey const& key() const { return key_; }
  [[nodiscard]] bool is_thorough() const { return thorough_; }
  [[nodiscard]] Instant deadline() const { return deadline_; }

  void start(Source source) { part(source).state = State::running; }
  // True when this is the best that the source gave.
  bool add(Finding finding);
  void add_invalid(Source source, std::int64_t timestamp_us);
  void end(Source source, SourceEnd const& end);

  [[nodiscard]] bool has_started(Source source) const { return part(source).state != State::idle; }
  [[nodiscard]] bool is_running(Source source) const {
    return part(source).state == State::running;
  }
  // True when none of these is running.
  [[nodiscard]] bool has_ended(Sources sources) const;
  [[nodiscard]] Finding const* newest(Sources sources) const;
  // The greatest timestamp of an item that is no signed packet; -1 for none.
  [[nodiscard]] std::int64_t invalid_timestamp(Sources sources) const;
  [[nodiscard]] bool is_confirmed(Sources sources) const;
  [[nodiscard]] bool is_not_found(Sources sources) const;
  // The error of the one source asked, or of them all in one.
  [[nodiscard]] base::Error error(Sources sources) const;

  std::vector<QuestionId> waiting;

 private:
  enum class State : std::uint8_t { idle, running, ended };
  struct Part {
    State state = State::idle;
    std::optional<Finding> best;
    std::int64_t invalid_timestamp = -1;
    SourceEnd end;
  };
  Part& part(Source source) { return parts_[source == Source::dht ? 0 : 1]; }
  [[nodiscard]] Part const& part(Source source) const {
    return parts_[source == Source::dht ? 0 : 1];
  }

  PublicKey key_;
  bool thorough_;
  Instant deadline_;
  std::array<Part, 2> parts_;
};

}  // namespace dotkey::resolve
