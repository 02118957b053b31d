// SPDX-License-Identifier: Apache-2.0
#include "host/cli/seen_packet.h"

#include "host/loop/clock.h"

namespace dotkey::host::cli {

std::optional<SeenPacket> load_seen_packet(store::Paths const& paths,
                                           crypto::PublicKey const& key) {
  auto const seen = store::RecordStore(paths.state_dir).load(key);
  if (!seen) return std::nullopt;
  auto packet = record::SignedPacket::parse(seen->packet);
  if (!packet || !(packet->key() == key)) return std::nullopt;
  return SeenPacket{seen->at, std::move(*packet)};
}

base::Result<void> save_seen_packet(store::Paths const& paths, record::SignedPacket const& packet) {
  return store::RecordStore(paths.state_dir)
      .save(packet.key(), loop::unix_now(), packet.canonical());
}

}  // namespace dotkey::host::cli
