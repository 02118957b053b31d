// SPDX-License-Identifier: Apache-2.0
#include "core/publish/attempt.h"

#include <algorithm>
#include <string>
#include <utility>

namespace dotkey::publish {

using base::ErrorCode;

namespace {

std::size_t index_of(Source source) {
  return static_cast<std::size_t>(source);
}

}  // namespace

Attempt::Attempt(SignedPacket packet, std::optional<std::int64_t> cas_us, Sources sources)
    : packet_(std::move(packet)), cas_us_(cas_us), open_(sources) {}

void Attempt::close(Source source) {
  (source == Source::dht ? open_.dht : open_.relay) = false;
}

// Ours, or older than ours without a condition, is not in the way.
void Attempt::take_theirs(SignedPacket packet) {
  bool const in_the_way = packet.is_more_recent_than(packet_) ||
                          (cas_us_ && packet.timestamp_us() != *cas_us_ && !(packet == packet_));
  if (!in_the_way) return;
  if (!theirs_ || packet.is_more_recent_than(*theirs_)) theirs_ = std::move(packet);
}

bool Attempt::on_dht_finished(dht::Outcome const& outcome) {
  if (!asking_for_theirs_) {
    dht_nodes_ = std::max(dht_nodes_, outcome.stored);
    errors_[index_of(Source::dht)] = outcome.error;
    dht_conflict_ = outcome.error == ErrorCode::dht_newer_exists ||
                    outcome.error == ErrorCode::dht_cas_mismatch;
  }
  if (outcome.item) {
    take_item(*outcome.item);
  } else if (dht_conflict_ && !asking_for_theirs_) {
    asking_for_theirs_ = true;
    return true;
  }
  close(Source::dht);
  return false;
}

void Attempt::take_item(dht::MutableItem const& item) {
  if (!(item.key == packet_.key()) || !item.salt.empty()) return;
  auto packet = SignedPacket::parse_item(item.key, item.signature, item.sequence, item.value);
  if (!packet) {
    met_invalid_ = item.sequence > packet_.timestamp_us();
    return;
  }
  // The condition failed on a copy of our own packet: an earlier attempt has reached that node.
  if (*packet == packet_) dht_conflict_ = false;
  take_theirs(std::move(*packet));
}

void Attempt::on_relays_finished(relay::Outcome const& outcome) {
  close(Source::relay);
  relays_ = outcome.relays;
  relays_stored_ = outcome.stored;
  dht_nodes_ = std::max(dht_nodes_, outcome.dht_nodes);
  errors_[index_of(Source::relay)] = outcome.error;
  relay_conflict_ = outcome.error == ErrorCode::relay_newer_exists ||
                    outcome.error == ErrorCode::relay_cas_mismatch;
  if (outcome.packet && outcome.packet->key() == packet_.key()) take_theirs(*outcome.packet);
}

void Attempt::on_failed(Source source, ErrorCode error) {
  close(source);
  errors_[index_of(source)] = error;
}

bool Attempt::is_conflict() const {
  return theirs_.has_value() || dht_conflict_ || (relay_conflict_ && dht_nodes_ == 0);
}

base::Error Attempt::error() const {
  std::optional<ErrorCode> single;
  std::string detail;
  std::uint32_t failed = 0;
  for (auto const& error : errors_) {
    if (!error) continue;
    single = error;
    ++failed;
    if (!detail.empty()) detail += ", ";
    detail += base::slug_of(*error);
  }
  if (failed == 1) return base::Error(*single);
  return {ErrorCode::publish_failed, detail};
}

}  // namespace dotkey::publish
