// SPDX-License-Identifier: Apache-2.0
#include "core/publish/schedule.h"

#include "core/base/assert.h"
#include "core/base/integers.h"

namespace dotkey::publish {

using base::ErrorCode;
using base::Result;

namespace {

constexpr std::uint8_t row_version = 1;
constexpr std::size_t row_header_size = 25;

}  // namespace

std::int64_t ScheduleEntry::timestamp_us() const {
  return record::timestamp_us_of(canonical);
}

Bytes encode_row(ScheduleEntry const& entry) {
  Bytes out;
  out.reserve(row_header_size + entry.canonical.size());
  out.push_back(row_version);
  base::append_be(out, static_cast<std::uint64_t>(entry.due.us));
  base::append_be(out, static_cast<std::uint64_t>(entry.stored_at.us));
  base::append_be(out, entry.dht_nodes);
  base::append_be(out, entry.failures);
  base::append(out, entry.canonical);
  return out;
}

Result<ScheduleEntry> parse_row(ByteView row) {
  if (row.size() < row_header_size || row[0] != row_version) {
    return base::fail(ErrorCode::publish_row_malformed, "its head cannot be read");
  }
  ScheduleEntry out;
  out.due.us = static_cast<std::int64_t>(base::read_be<std::uint64_t>(row, 1));
  out.stored_at.us = static_cast<std::int64_t>(base::read_be<std::uint64_t>(row, 9));
  out.dht_nodes = base::read_be<std::uint32_t>(row, 17);
  out.failures = base::read_be<std::uint32_t>(row, 21);
  auto const packet = SignedPacket::parse_verified(row.subspan(row_header_size));
  if (!packet || packet->timestamp_us() < 0 || out.due.us < 0 || out.stored_at.us < 0) {
    return base::fail(ErrorCode::publish_row_malformed, "its packet cannot be read");
  }
  out.canonical = base::to_bytes(packet->canonical());
  return out;
}

ScheduleEntry const* Schedule::find(PublicKey const& key) const {
  auto const found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void Schedule::set(PublicKey const& key, ScheduleEntry entry) {
  auto const found = entries_.find(key);
  entry.under_way = found != entries_.end() && found->second.under_way;
  if (found != entries_.end() && !entry.under_way) order_.erase({found->second.due, key});
  if (!entry.under_way) order_.emplace(entry.due, key);
  entries_.insert_or_assign(key, std::move(entry));
}

void Schedule::erase(PublicKey const& key) {
  auto const found = entries_.find(key);
  if (found == entries_.end()) return;
  order_.erase({found->second.due, key});
  entries_.erase(found);
}

std::optional<PublicKey> Schedule::take_due(UnixTime now) {
  if (order_.empty() || order_.begin()->first > now) return std::nullopt;
  PublicKey const key = order_.begin()->second;
  order_.erase(order_.begin());
  entries_.at(key).under_way = true;
  return key;
}

void Schedule::put_back(PublicKey const& key, ScheduleEntry entry) {
  auto const found = entries_.find(key);
  DOTKEY_ASSERT(found != entries_.end() && found->second.under_way);
  entry.under_way = false;
  order_.emplace(entry.due, key);
  found->second = std::move(entry);
}

std::optional<UnixTime> Schedule::first_due() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first;
}

std::optional<UnixTime> Schedule::last_due() const {
  if (order_.empty()) return std::nullopt;
  return order_.rbegin()->first;
}

std::vector<ScheduledKey> Schedule::list() const {
  std::vector<ScheduledKey> out;
  out.reserve(entries_.size());
  for (auto const& [key, entry] : entries_) {
    out.push_back(
        {key, entry.timestamp_us(), entry.due, entry.stored_at, entry.dht_nodes, entry.failures});
  }
  return out;
}

}  // namespace dotkey::publish
