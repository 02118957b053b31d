// SPDX-License-Identifier: Apache-2.0
// The nodes of one address family that answered us (BEP 5 "Routing Table").
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "core/dht/types.h"

namespace dotkey::dht {

struct Contact {
  NodeInfo node;
  Instant last_response;
  Instant last_asked;
  std::uint32_t rtt_us = 0;   // smoothed; 0 = not measured
  std::uint8_t failures = 0;  // requests in a row without an answer
  bool secure = false;        // its id fits its address (BEP 42)
};

// Buckets by the length of the prefix shared with our own id. The widest buckets hold more than
// k_nodes, so that a lookup's first step goes further. A full bucket takes a newcomer only in place
// of a failing contact, or of an insecure one when the newcomer's id is secure: long-lived nodes
// stay, and an attacker cannot push them out.
class RoutingTable {
 public:
  static constexpr std::uint8_t failures_max = 3;  // then a contact is dropped
  // A silent contact is not picked again for so long: others have their turn, and their answers
  // tell its death from ours.
  static constexpr Duration pause_after_asking = Duration::from_s(60);
  static std::size_t capacity_of(unsigned bucket);

  RoutingTable(NodeId const& self, bool one_contact_per_address);

  [[nodiscard]] NodeId const& self() const { return self_; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // A node answered. Adds or refreshes it; false when its bucket has no place for it.
  bool on_response(Instant now, NodeInfo const& node, std::uint32_t rtt_us);
  // The same without looking for duplicates outside the bucket: for a caller that knows there are
  // none and fills a whole table.
  void seed(Instant now, NodeInfo const& node);
  // A node is being asked. Its contact, or nullptr when it is none.
  Contact const* on_asked(Instant now, NodeId const& id, Endpoint const& endpoint);
  // A node did not answer.
  void on_timeout(Endpoint const& endpoint, NodeId const& id);
  // Whether a node with this id would be taken in.
  [[nodiscard]] bool has_place_for(NodeInfo const& node) const;

  // Nearest first. `good_only` leaves out contacts with failures: what others are told.
  [[nodiscard]] std::vector<NodeInfo> closest(NodeId const& target, std::size_t count,
                                              bool good_only) const;
  [[nodiscard]] Contact const* find(NodeId const& id, Endpoint const& endpoint) const;
  // The contact that has been silent for longest, if that is longer than `silence`, among those not
  // asked lately.
  [[nodiscard]] Contact const* most_silent(Instant now, Duration silence) const;
  // A bucket, up to the deepest in use, that nothing was heard of nor looked up in for `silence`.
  [[nodiscard]] std::optional<unsigned> stale_bucket(Instant now, Duration silence) const;
  // A lookup towards this bucket begins; it may well find nobody.
  void on_refresh(Instant now, unsigned bucket);
  [[nodiscard]] std::vector<Contact> contacts() const;
  // Takes another own id: buckets are dealt anew.
  void rebuild(NodeId const& self);

 private:
  using Bucket = std::vector<Contact>;
  [[nodiscard]] unsigned bucket_of(NodeId const& id) const;
  Contact* find_mutable(NodeId const& id, Endpoint const& endpoint);
  [[nodiscard]] bool address_is_taken(NodeInfo const& node) const;
  bool insert(Contact const& contact);

  NodeId self_;
  bool one_contact_per_address_;
  std::vector<Bucket> buckets_;
  std::vector<Instant> refreshed_at_;  // by bucket
  std::size_t size_ = 0;
};

}  // namespace dotkey::dht
