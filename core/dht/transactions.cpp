// SPDX-License-Identifier: Apache-2.0
#include "core/dht/transactions.h"

namespace dotkey::dht {

std::optional<TransactionId> Transactions::begin(Transaction const& transaction,
                                                 engine::Entropy& entropy) {
  if (open_.size() >= size_max_) return std::nullopt;
  TransactionId id = 0;
  do {
    id = static_cast<TransactionId>(entropy.next_u64());
  } while (open_.contains(id));
  open_.emplace(id, transaction);
  due_.push({transaction.overdue_at, id});
  return id;
}

std::optional<Transaction> Transactions::take(TransactionId id, Endpoint const& from) {
  auto const found = open_.find(id);
  if (found == open_.end() || !(found->second.to == from)) return std::nullopt;
  Transaction out = found->second;
  open_.erase(found);
  return out;
}

std::optional<Transactions::Event> Transactions::poll_due(Instant now) {
  while (!due_.empty() && due_.top().at <= now) {
    TransactionId const id = due_.top().id;
    due_.pop();
    auto const found = open_.find(id);
    if (found == open_.end()) continue;
    Transaction& transaction = found->second;
    if (!transaction.is_overdue) {
      transaction.is_overdue = true;
      due_.push({transaction.lost_at, id});
      return Event{Event::Kind::overdue, id, transaction};
    }
    if (!transaction.is_lost) {
      transaction.is_lost = true;
      due_.push({transaction.sent + forget_after, id});
      return Event{Event::Kind::lost, id, transaction};
    }
    Event event{Event::Kind::forgotten, id, transaction};
    open_.erase(found);
    return event;
  }
  return std::nullopt;
}

std::optional<Instant> Transactions::next_deadline() const {
  if (due_.empty()) return std::nullopt;
  return due_.top().at;
}

}  // namespace dotkey::dht
