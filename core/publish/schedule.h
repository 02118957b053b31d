// SPDX-License-Identifier: Apache-2.0
// When which key is to be republished: earliest due first, so that every key gets its turn.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "core/base/result.h"
#include "core/publish/types.h"

namespace dotkey::publish {

struct ScheduleEntry {
  Bytes canonical;  // verified
  UnixTime due;
  UnixTime stored_at;
  std::uint32_t dht_nodes = 0;
  std::uint32_t failures = 0;
  bool under_way = false;  // not in the order of due times

  [[nodiscard]] std::int64_t timestamp_us() const;
};

// A row is: version 1, due and stored_at (8 bytes each, µs since 1970), dht_nodes and failures
// (4 bytes each), the canonical packet; all big-endian.
Bytes encode_row(ScheduleEntry const& entry);
// Trusts the signature: the row comes from our own store. Errors: publish_row_malformed.
base::Result<ScheduleEntry> parse_row(ByteView row);

class Schedule {
 public:
  [[nodiscard]] ScheduleEntry const* find(PublicKey const& key) const;
  // Adds or replaces; a put that is under way for the key stays so.
  void set(PublicKey const& key, ScheduleEntry entry);
  void erase(PublicKey const& key);
  // The key whose turn it is, unless it is only due later; it is then under way.
  std::optional<PublicKey> take_due(UnixTime now);
  // Gives a key back for its next turn.
  void put_back(PublicKey const& key, ScheduleEntry entry);

  [[nodiscard]] std::optional<UnixTime> first_due() const;
  [[nodiscard]] std::optional<UnixTime> last_due() const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::vector<ScheduledKey> list() const;

 private:
  std::map<PublicKey, ScheduleEntry> entries_;
  std::set<std::pair<UnixTime, PublicKey>> order_;
};

}  // namespace dotkey::publish
