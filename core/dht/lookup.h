// SPDX-License-Identifier: Apache-2.0
// One iterative search for the nodes closest to a target, in one address family.
#pragma once

#include <optional>
#include <vector>

#include "core/dht/types.h"

namespace dotkey::dht {

enum class CandidateState : std::uint8_t { fresh, waiting, overdue, lost, answered };

struct Candidate {
  NodeInfo node;
  bool has_id = true;   // false: a bootstrap node; it sorts last
  bool secure = false;  // its id fits its address (BEP 42)
  CandidateState state = CandidateState::fresh;
  std::uint8_t hops = 0;
  Bytes token;  // write token, once answered
};

// Which nodes to ask next and when to stop. Nodes whose id fits their address come first, so that a
// liar who invents ids near the target gains a few wasted datagrams and no more: at most
// insecure_visits_max of the others are asked. One address counts once (eight times when every id
// fits it), so that few machines cannot pose as many.
class Lookup {
 public:
  static constexpr std::size_t candidates_max = 320;
  static constexpr std::uint32_t insecure_visits_max = 16;
  static constexpr std::uint32_t visits_max = 256;
  static constexpr std::uint32_t secure_ids_per_address_max = 8;

  Lookup(NodeId const& target, std::uint32_t parallel) : target_(target), parallel_(parallel) {}

  void add(NodeInfo const& node, std::uint8_t hops);
  void add_unknown(Endpoint const& endpoint);
  // A node that answered lately, with its write token: it need not be asked again.
  void add_answered(NodeInfo const& node, Bytes token);

  // The next node to ask, now marked waiting; nullopt when enough wait or none is left. `width`:
  // how many of the closest are to answer.
  std::optional<Candidate> next(std::size_t width);
  // The candidate that answered; nullopt when this lookup never asked there.
  Candidate* on_answer(NodeInfo const& node, ByteView token);
  void on_overdue(Endpoint const& endpoint);
  void on_lost(Endpoint const& endpoint);

  // No node among the `width` closest that live is left to ask or to wait for.
  [[nodiscard]] bool is_done(std::size_t width) const;
  [[nodiscard]] bool has_candidates() const { return !candidates_.empty(); }
  [[nodiscard]] std::vector<Candidate const*> answered(std::size_t count) const;
  [[nodiscard]] NodeId const& target() const { return target_; }

 private:
  [[nodiscard]] Candidate* find(Endpoint const& endpoint);
  [[nodiscard]] bool is_before(Candidate const& a, Candidate const& b) const;
  [[nodiscard]] bool address_is_exhausted(Candidate const& candidate) const;
  Candidate* insert(Candidate candidate);
  [[nodiscard]] bool may_visit(Candidate const& candidate) const {
    if (visits_ >= visits_max) return false;
    return candidate.secure || !candidate.has_id || insecure_visits_ < insecure_visits_max;
  }

  NodeId target_;
  std::uint32_t parallel_;
  std::uint32_t waiting_ = 0;
  std::uint32_t visits_ = 0;
  std::uint32_t insecure_visits_ = 0;
  std::vector<Candidate> candidates_;  // in order of is_before
};

}  // namespace dotkey::dht
