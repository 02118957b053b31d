// SPDX-License-Identifier: Apache-2.0
// An answer made once and sent often: all of a reply but id, question, TTLs and EDNS, which differ
// from client to client.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/bridge/cookie.h"
#include "core/bridge/query.h"
#include "core/engine/time.h"

namespace dotkey::bridge {

using engine::Duration;
using engine::Instant;
using engine::Moment;
using engine::UnixTime;

// RFC 8914 §5.2; `none` is no code of it.
enum class ExtendedError : std::uint16_t {
  stale_answer = 3,
  not_ready = 14,
  blocked = 15,
  filtered = 17,
  prohibited = 18,
  stale_name_error = 19,
  not_supported = 21,
  no_reachable_authority = 22,
  network_error = 23,
  invalid_data = 24,
  none = 0xffff,
};

struct Answer {
  bool authoritative = false;
  wire::dns::ResponseCode code = wire::dns::ResponseCode::no_error;
  ExtendedError extended_error = ExtendedError::none;
  std::uint16_t counts[3] = {0, 0, 0};
  // When the TTLs were right; until when the answer may be given, and until when in want of a
  // better one (RFC 8767).
  Instant born;
  Instant expires;
  Instant usable_until;
  std::string extended_text;
  // What stands behind the question, and where in it TTLs stand.
  Bytes body;
  std::vector<std::uint16_t> ttl_offsets;

  // Without records.
  static Answer of_code(wire::dns::ResponseCode code,
                        ExtendedError extended_error = ExtendedError::none,
                        std::string extended_text = {});
  // `message` has one question, in lower case. Its records with the question as their owner follow
  // each client's own spelling. Errors: dns_too_large.
  static base::Result<Answer> from(wire::dns::Message const& message, Instant now);

  // The same once more, for want of a better one: for `lifetime`, and with TTLs of 30 s.
  [[nodiscard]] Answer as_stale(Instant now, Duration lifetime) const;

  [[nodiscard]] std::size_t memory_size() const;
};

// EDNS' extra for one client.
struct ReplyOptions {
  // The reply is no larger; what does not fit is truncated. At least header and question.
  std::size_t size_max = wire::dns::udp_size_default;
  // No records at all, and TC.
  bool truncated = false;
  // Fill up to a multiple of this (RFC 8467 §4.1); 0: do not.
  std::size_t padding_block = 0;
  std::optional<Cookie> cookie;
  // The client would have more room if it came back with the cookie.
  bool cookie_proves = false;
  // RFC 7828, in units of 100 ms.
  std::optional<std::uint16_t> keepalive;
};

// Whether all of the answer's records go into the reply.
bool fits(Query const& query, Answer const& answer, ReplyOptions const& options);

// Writes the reply over `message`, which begins with the query itself and has room for
// options.size_max bytes. Returns its size.
std::size_t write_reply(Query const& query, Answer const& answer, Instant now,
                        ReplyOptions const& options, std::span<std::uint8_t> message);

// For how long others may keep a reply that write_reply() wrote, in seconds: its smallest TTL, and
// nothing of a failure (RFC 8484 §5.1).
std::uint32_t freshness_s(ByteView reply);

// Our own limit over UDP: no fragments on any common path.
inline constexpr std::uint16_t udp_size_own = 1232;

}  // namespace dotkey::bridge
