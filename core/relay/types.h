// SPDX-License-Identifier: Apache-2.0
// What pkarr's relays and their clients say to each other (pkarr v7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/keys.h"
#include "core/engine/time.h"
#include "core/record/signed_packet.h"

namespace dotkey::relay {

using base::Bytes;
using base::ByteView;
using crypto::PublicKey;
using engine::Duration;
using engine::Instant;
using engine::Moment;
using engine::UnixTime;
using record::SignedPacket;

// Signature, timestamp and DNS message.
inline constexpr std::size_t payload_size_max = SignedPacket::relay_payload_size_max;

inline constexpr std::string_view payload_type = "application/pkarr.org/relays#payload";
inline constexpr std::string_view stored_nodes_header = "pkarr-dht-stored-nodes";
inline constexpr std::string_view invalid_sequence_header = "pkarr-invalid-signed-packet-seq";

// The query parameter `policy` of a GET.
enum class Policy : std::uint8_t {
  cache_only,    // what the relay holds, even expired
  cache_first,   // what it holds while fresh, else the first that the DHT gives
  network_only,  // the newest that the DHT gives
};

// "CacheOnly", "CacheFirst", "NetworkOnly".
std::string_view name_of(Policy policy);
std::optional<Policy> parse_policy(std::string_view text);

}  // namespace dotkey::relay
