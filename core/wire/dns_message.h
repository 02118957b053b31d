// SPDX-License-Identifier: Apache-2.0
// DNS messages (RFC 1035 §4) with EDNS (RFC 6891), both ways.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/wire/dns_name.h"
#include "core/wire/dns_record.h"

namespace dotkey::wire::dns {

inline constexpr std::size_t header_size = 12;
inline constexpr std::size_t message_size_max = 65535;
// Without EDNS, over UDP (RFC 1035 §4.2.1).
inline constexpr std::size_t udp_size_default = 512;

enum class Opcode : std::uint8_t { query = 0, status = 2, notify = 4, update = 5 };

// Twelve bits: the upper eight travel in EDNS.
enum class ResponseCode : std::uint16_t {
  no_error = 0,
  format_error = 1,
  server_failure = 2,
  name_error = 3,  // NXDOMAIN
  not_implemented = 4,
  refused = 5,
  bad_version = 16,  // RFC 6891 §9
  bad_cookie = 23,   // RFC 7873 §8
};

struct Question {
  Name name;
  RecordType type = RecordType::a;
  RecordClass record_class = RecordClass::in;
  friend bool operator==(Question const&, Question const&) = default;
};

struct EdnsOption {
  std::uint16_t code = 0;
  base::Bytes value;
  friend bool operator==(EdnsOption const&, EdnsOption const&) = default;
};

// What the OPT record says (RFC 6891 §6.1).
struct Edns {
  std::uint16_t udp_size = 1232;  // avoids fragments on any common path
  std::uint8_t version = 0;
  bool dnssec_ok = false;
  std::uint16_t reserved_flags = 0;  // the 15 bits behind DO
  std::vector<EdnsOption> options;
  friend bool operator==(Edns const&, Edns const&) = default;
};

struct Message {
  std::uint16_t id = 0;
  bool response = false;  // QR
  Opcode opcode = Opcode::query;
  bool authoritative = false;                  // AA
  bool truncated = false;                      // TC
  bool recursion_desired = false;              // RD
  bool recursion_available = false;            // RA
  bool reserved = false;                       // Z, 0x0040
  bool authentic_data = false;                 // AD
  bool checking_disabled = false;              // CD
  ResponseCode code = ResponseCode::no_error;  // above 15 only with `edns`
  std::vector<Question> questions;
  std::vector<ResourceRecord> answers;
  std::vector<ResourceRecord> authorities;
  std::vector<ResourceRecord> additionals;  // without OPT
  std::optional<Edns> edns;
  friend bool operator==(Message const&, Message const&) = default;
};

// What differs between a message of its own and one inside a signed packet.
struct ParseRules {
  bool trailing_bytes_allowed = false;
  bool reserved_bit_allowed = true;  // Z
  bool any_class_allowed = true;     // else IN, CS, CH, HS, NONE, with mDNS's top bit or without
  std::size_t records_max = 4096;    // of all sections together, questions included
};

// Queries and replies on a socket.
inline constexpr ParseRules rules_for_sockets{};
// The content of a pkarr packet: what simple-dns accepts, since every relay and node runs it.
inline constexpr ParseRules rules_for_signed_packets{.trailing_bytes_allowed = true,
                                                     .reserved_bit_allowed = false,
                                                     .any_class_allowed = false,
                                                     .records_max = 1024};

// Parses hostile bytes. Errors: dns_malformed.
base::Result<Message> parse_message(base::ByteView bytes, ParseRules const& rules);

// Compresses the way simple-dns does, byte for byte: suffixes equal in case, in owner names and in
// the data of RFC 1035's types, not in SRV, SVCB and HTTPS. Errors: dns_too_large above
// `size_max` bytes.
base::Result<base::Bytes> encode_message(Message const& message,
                                         std::size_t size_max = message_size_max);

// For UDP: leaves out records from the end and sets TC until the rest fits (RFC 2181 §9); the
// questions and EDNS stay. Errors: dns_too_large when even those do not fit.
base::Result<base::Bytes> encode_truncated(Message const& message, std::size_t size_max);

// A record's data alone, uncompressed, as in the generic text form of RFC 3597.
// Errors: dns_malformed.
base::Result<RecordData> parse_record_data(RecordType type, base::ByteView bytes);
base::Bytes encode_record_data(RecordData const& data);

}  // namespace dotkey::wire::dns
