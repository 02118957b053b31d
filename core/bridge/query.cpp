// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/query.h"

#include "core/base/integers.h"

namespace dotkey::bridge {
namespace {

namespace dns = wire::dns;

constexpr std::size_t record_fixed_size = 10;  // type, class, TTL, length
constexpr std::uint16_t dnssec_ok_bit = 0x8000;
constexpr std::size_t cookie_size_client = 8;
constexpr std::size_t cookie_size_max = 40;

std::uint16_t read_u16(ByteView message, std::size_t at) {
  return static_cast<std::uint16_t>(message[at] << 8 | message[at + 1]);
}

// Behind the name at `at`; 0 when it is cut short, too long, or, without `may_point`, compressed.
std::size_t skip_name(ByteView message, std::size_t at, bool may_point) {
  std::size_t const begin = at;
  for (;;) {
    if (at >= message.size()) return 0;
    std::uint8_t const length = message[at];
    if (length == 0) return at + 1 - begin <= dns::Name::size_max ? at + 1 : 0;
    if (length > dns::Name::label_size_max) {
      bool const pointer = may_point && (length & 0xc0) == 0xc0 && at + 2 <= message.size();
      return pointer ? at + 2 : 0;
    }
    at += 1U + length;
  }
}

bool read_options(ByteView options, Query& out) {
  while (!options.empty()) {
    if (options.size() < 4) return false;
    std::uint16_t const code = read_u16(options, 0);
    std::size_t const size = read_u16(options, 2);
    if (options.size() < 4 + size) return false;
    ByteView const value = options.subspan(4, size);
    if (code == option_code::cookie) {
      // RFC 7873 §5.2.2: any other length is a format error.
      bool const fits = size == cookie_size_client || (size >= 16 && size <= cookie_size_max);
      if (!fits || !out.cookie.empty()) return false;
      out.cookie = value;
    } else if (code == option_code::padding) {
      out.wants_padding = true;
    } else if (code == option_code::keepalive) {
      if (size != 0) return false;  // RFC 7828 §3.2.1
      out.wants_keepalive = true;
    }
    options = options.subspan(4 + size);
  }
  return true;
}

// One record of the additional section; 0 when it is malformed.
std::size_t read_additional(ByteView message, std::size_t at, Query& out) {
  bool const is_root = at < message.size() && message[at] == 0;
  at = skip_name(message, at, true);
  if (at == 0 || at + record_fixed_size > message.size()) return 0;
  std::uint16_t const type = read_u16(message, at);
  std::size_t const size = read_u16(message, at + 8);
  std::size_t const end = at + record_fixed_size + size;
  if (end > message.size()) return 0;
  if (type != static_cast<std::uint16_t>(dns::RecordType::opt)) return end;
  if (!is_root || out.has_edns) return 0;
  out.has_edns = true;
  out.udp_size =
      std::max(read_u16(message, at + 2), static_cast<std::uint16_t>(dns::udp_size_default));
  out.edns_version = message[at + 5];
  out.dnssec_ok = (read_u16(message, at + 6) & dnssec_ok_bit) != 0;
  // What a later version puts there is not ours to judge.
  if (out.edns_version > 0) return end;
  return read_options(message.subspan(at + record_fixed_size, size), out) ? end : 0;
}

}  // namespace

QueryVerdict parse_query(ByteView message, Query& out) {
  if (message.size() < dns::header_size) return QueryVerdict::drop;
  out.id = read_u16(message, 0);
  out.flags = read_u16(message, 2);
  if ((out.flags & flag_response) != 0) return QueryVerdict::drop;
  if ((out.flags & opcode_mask) != 0) return QueryVerdict::not_implemented;
  std::uint16_t const questions = read_u16(message, 4);
  std::uint16_t const additionals = read_u16(message, 10);
  if (questions > 1 || read_u16(message, 6) != 0 || read_u16(message, 8) != 0) {
    return QueryVerdict::malformed;
  }
  std::size_t at = dns::header_size;
  if (questions == 1) {
    std::size_t const name_end = skip_name(message, at, false);
    if (name_end == 0 || name_end + 4 > message.size()) return QueryVerdict::malformed;
    out.type = static_cast<dns::RecordType>(read_u16(message, name_end));
    out.record_class = static_cast<dns::RecordClass>(read_u16(message, name_end + 2));
    at = name_end + 4;
    out.question_size = static_cast<std::uint16_t>(at - dns::header_size);
  }
  for (std::uint16_t i = 0; i < additionals; ++i) {
    at = read_additional(message, at, out);
    if (at == 0) return QueryVerdict::malformed;
  }
  if (at != message.size()) return QueryVerdict::malformed;
  if (out.edns_version > 0) return QueryVerdict::bad_version;
  if (questions == 0) {
    return out.cookie.empty() ? QueryVerdict::malformed : QueryVerdict::no_question;
  }
  return QueryVerdict::ok;
}

}  // namespace dotkey::bridge
