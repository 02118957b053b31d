// SPDX-License-Identifier: Apache-2.0
// A query as a client sent it, read in place: nothing is copied or allocated.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"
#include "core/wire/dns_message.h"

namespace dotkey::bridge {

using base::Bytes;
using base::ByteView;

// The header's flags (RFC 1035 §4.1.1, RFC 2535 §6.1).
inline constexpr std::uint16_t flag_response = 0x8000;
inline constexpr std::uint16_t flag_authoritative = 0x0400;
inline constexpr std::uint16_t flag_truncated = 0x0200;
inline constexpr std::uint16_t flag_recursion_desired = 0x0100;
inline constexpr std::uint16_t flag_recursion_available = 0x0080;
inline constexpr std::uint16_t flag_checking_disabled = 0x0010;
inline constexpr std::uint16_t opcode_mask = 0x7800;

// EDNS option codes.
namespace option_code {
inline constexpr std::uint16_t cookie = 10;          // RFC 7873
inline constexpr std::uint16_t keepalive = 11;       // RFC 7828
inline constexpr std::uint16_t padding = 12;         // RFC 7830
inline constexpr std::uint16_t extended_error = 15;  // RFC 8914
}  // namespace option_code

struct Query {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  // Of name, type and class behind the header; 0 without a question.
  std::uint16_t question_size = 0;
  wire::dns::RecordType type = wire::dns::RecordType::a;
  wire::dns::RecordClass record_class = wire::dns::RecordClass::in;

  bool has_edns = false;
  std::uint8_t edns_version = 0;
  bool dnssec_ok = false;
  bool wants_padding = false;
  bool wants_keepalive = false;
  // At least 512 (RFC 6891 §6.2.3).
  std::uint16_t udp_size = wire::dns::udp_size_default;
  // 8 bytes of the client's, then 0 or 8 to 32 of a server's. Points into the message.
  ByteView cookie;

  [[nodiscard]] bool recursion_desired() const { return (flags & flag_recursion_desired) != 0; }
  [[nodiscard]] bool checking_disabled() const { return (flags & flag_checking_disabled) != 0; }
};

enum class QueryVerdict : std::uint8_t {
  ok,
  drop,             // a response, or too short to answer
  malformed,        // FORMERR
  not_implemented,  // another opcode
  bad_version,      // EDNS above 0 (RFC 6891 §6.1.3)
  no_question,      // with a cookie: a client that wants one of ours (RFC 7873 §5.4)
};

// Reads hostile bytes. `out` has id and flags for every verdict but `drop`, and what was read
// before the fault for the others.
QueryVerdict parse_query(ByteView message, Query& out);

}  // namespace dotkey::bridge
