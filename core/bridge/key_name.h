// SPDX-License-Identifier: Apache-2.0
// Domain names under a public key, as the DNS sees them.
#pragma once

#include <cstdint>
#include <optional>

#include "core/crypto/keys.h"
#include "core/wire/dns_name.h"

namespace dotkey::bridge {

enum class Place : std::uint8_t {
  key,        // "[sub.]<key>." or "[sub.]<key>.key."
  top_level,  // "key." itself
  malformed,  // ours, but without a key: never sent to the DNS
  elsewhere,
};

struct KeyName {
  Place place = Place::elsewhere;
  // The rest is for Place::key.
  crypto::PublicKey key;
  // As it stands in the key's own packet: under the key's canonical spelling, without `.key`.
  wire::dns::Name inner;
  // "<key>." or "<key>.key.", in the asker's spelling.
  wire::dns::Name apex;
  bool has_top_level = false;
};

KeyName classify(wire::dns::Name const& name);

// For an asker who writes `.key`: what a packet says about "www.<key>." is about "www.<key>.key.".
// Other names stay.
wire::dns::Name add_top_level(wire::dns::Name const& name);

}  // namespace dotkey::bridge
