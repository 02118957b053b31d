// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/events.h"

#include "core/names/public_key.h"

namespace dotkey::host::daemon {

namespace {

boost::json::object describe(record::SignedPacket const& packet) {
  return {{"key", names::format_public_key(packet.key())}, {"timestamp_us", packet.timestamp_us()}};
}

}  // namespace

void Events::subscribe(Peer& peer) {
  if (!std::exchange(peer.subscribed, true)) subscribers_.push_back(peer.weak_from_this());
}

void Events::tell(std::string_view op, boost::json::object const& body) {
  std::erase_if(subscribers_, [](auto const& peer) { return peer.expired(); });
  // Telling may disconnect a peer that does not read.
  for (auto const& weak : std::vector(subscribers_)) {
    if (auto const peer = weak.lock()) peer->send(op, body);
  }
}

void Events::on_progress(api::Progress const& progress) {
  if (subscribers_.empty()) return;
  tell("progress", {{"key", names::format_public_key(progress.key)},
                    {"queried", progress.tally.queried},
                    {"responded", progress.tally.responded},
                    {"values", progress.tally.values},
                    {"stored", progress.stored}});
}

void Events::on_learned(record::SignedPacket const& packet) {
  if (!subscribers_.empty()) tell("learned", describe(packet));
}

void Events::on_adopted(record::SignedPacket const& packet) {
  if (!subscribers_.empty()) tell("adopted", describe(packet));
}

}  // namespace dotkey::host::daemon
