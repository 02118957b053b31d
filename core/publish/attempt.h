// SPDX-License-Identifier: Apache-2.0
// One put of one packet to the DHT and the relays, and what came of it.
#pragma once

#include <array>

#include "core/publish/types.h"

namespace dotkey::publish {

class Attempt {
 public:
  Attempt(SignedPacket packet, std::optional<std::int64_t> cas_us, Sources sources);

  [[nodiscard]] SignedPacket const& packet() const { return packet_; }
  [[nodiscard]] std::optional<std::int64_t> cas_us() const { return cas_us_; }
  [[nodiscard]] bool is_open(Source source) const { return open_.has(source); }
  [[nodiscard]] bool has_ended() const { return !open_.any(); }

  // True when the DHT has to be asked what it prefers; its next outcome is the answer.
  bool on_dht_finished(dht::Outcome const& outcome);
  void on_relays_finished(relay::Outcome const& outcome);
  void on_failed(Source source, base::ErrorCode error);

  // After the end. A verified packet that is newer, or not the one that was to be replaced, is
  // proof of a conflict; the word of a relay alone is one when nobody stored ours.
  [[nodiscard]] bool is_conflict() const;
  [[nodiscard]] std::optional<SignedPacket> const& theirs() const { return theirs_; }
  // The network holds an item that is newer and no signed packet.
  [[nodiscard]] bool met_invalid() const { return met_invalid_; }
  [[nodiscard]] bool is_stored() const { return dht_nodes_ > 0 || relays_stored_ > 0; }
  [[nodiscard]] bool is_stored_by_relays() const { return relays_stored_ > 0; }
  [[nodiscard]] std::uint32_t dht_nodes() const { return dht_nodes_; }
  [[nodiscard]] std::vector<relay::RelayResult> const& relays() const { return relays_; }
  // Where nothing was stored: the error of the one source asked, or of all in one.
  [[nodiscard]] base::Error error() const;

 private:
  void take_item(dht::MutableItem const& item);
  void take_theirs(SignedPacket packet);
  void close(Source source);

  SignedPacket packet_;
  std::optional<std::int64_t> cas_us_;
  Sources open_;
  std::uint32_t dht_nodes_ = 0;
  std::uint32_t relays_stored_ = 0;
  std::vector<relay::RelayResult> relays_;
  std::optional<SignedPacket> theirs_;
  bool dht_conflict_ = false;
  bool asking_for_theirs_ = false;
  bool relay_conflict_ = false;
  bool met_invalid_ = false;
  std::array<std::optional<base::ErrorCode>, 2> errors_;
};

}  // namespace dotkey::publish
