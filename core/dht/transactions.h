// SPDX-License-Identifier: Apache-2.0
// Requests of ours that wait for an answer.
#pragma once

#include <functional>
#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "core/dht/types.h"
#include "core/engine/entropy.h"

namespace dotkey::dht {

// What a request was for.
enum class Purpose : std::uint8_t {
  maintenance,  // a ping of the routing table's
  self_check,   // a ping to our own external endpoint
  lookup,       // find_node, get_peers or get of an operation
  store,        // put or announce_peer of an operation
};

struct Transaction {
  Endpoint to;
  std::optional<NodeId> node;  // absent: a bootstrap node whose id we do not know
  Purpose purpose = Purpose::maintenance;
  OperationId operation{};
  Instant sent;
  Instant overdue_at;
  Instant lost_at;
  bool is_overdue = false;
  bool is_lost = false;
};

using TransactionId = std::uint32_t;

// Ids are random, so that nobody off the path can answer. A lost transaction is remembered until
// forget_after, because its late answer still teaches how slow the network is.
class Transactions {
 public:
  static constexpr Duration forget_after = Duration::from_s(10);

  struct Event {
    enum class Kind : std::uint8_t { overdue, lost, forgotten };
    Kind kind;
    TransactionId id;
    Transaction transaction;
  };

  explicit Transactions(std::size_t size_max) : size_max_(size_max) {}

  // nullopt when size_max requests are under way.
  std::optional<TransactionId> begin(Transaction const& transaction, engine::Entropy& entropy);
  // The transaction this answer belongs to; it must come from where the request went.
  std::optional<Transaction> take(TransactionId id, Endpoint const& from);
  // What has become due, one at a time.
  std::optional<Event> poll_due(Instant now);
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] std::size_t size() const { return open_.size(); }

 private:
  struct Due {
    Instant at;
    TransactionId id;
    bool operator>(Due const& other) const {
      return at != other.at ? at > other.at : id > other.id;
    }
  };

  std::size_t size_max_;
  std::unordered_map<TransactionId, Transaction> open_;
  // An entry may be about a transaction that has ended; poll_due() skips those.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

}  // namespace dotkey::dht
