// SPDX-License-Identifier: Apache-2.0
// One look at what was found about a site. The daemon and the extension (in wasm) both take it,
// with this same code: nothing in it is taken on trust but that the server proved the key of the
// certificate in its TLS handshake.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/names/hostname.h"
#include "core/pin/pin.h"
#include "core/record/signed_packet.h"
#include "core/resolve/endpoints.h"

namespace dotkey::evidence {

inline constexpr std::size_t packets_max = resolve::endpoint_keys_max;

struct Evidence {
  std::string_view host;  // as the browser asked for it
  std::uint16_t port = 0;
  // Where the connection went.
  std::string_view route_host;  // for SNI
  std::uint16_t route_port = 0;
  std::vector<base::ByteView> packets;  // canonical signed packets, in any order
  std::vector<base::ByteView> chain;    // DER, the leaf first
  std::int64_t now_s = 0;               // by the clock of who asks
};

struct Finding {
  pin::Decision decision;
  names::Hostname host;
  resolve::Endpoint endpoint;  // the way that the decision is about
  std::vector<record::SignedPacket> packets;
};

// Verifies each packet, follows them from the host asked for to the route claimed, and decides
// about the certificate by the pins found on that way. Errors, each a denial: those of
// names::parse_hostname and SignedPacket::parse, evidence_oversized, evidence_packet_missing,
// evidence_route_unpublished.
base::Result<Finding> examine(Evidence const& evidence);

}  // namespace dotkey::evidence
