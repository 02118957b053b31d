// SPDX-License-Identifier: Apache-2.0
// The newest packet this machine has seen of a key, verified again each time it is read.
#pragma once

#include <optional>

#include "core/record/signed_packet.h"

#include "host/store/paths.h"
#include "host/store/record_store.h"

namespace dotkey::host::cli {

struct SeenPacket {
  engine::UnixTime at;
  record::SignedPacket packet;
};

std::optional<SeenPacket> load_seen_packet(store::Paths const& paths, crypto::PublicKey const& key);

// Errors: file_unwritable.
base::Result<void> save_seen_packet(store::Paths const& paths, record::SignedPacket const& packet);

}  // namespace dotkey::host::cli
