// SPDX-License-Identifier: Apache-2.0
// Resource records (RFC 1035 §3.2), typed for what people publish, raw for everything else.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/endpoint.h"
#include "core/wire/dns_name.h"
#include "core/wire/dns_svcb.h"

namespace dotkey::wire::dns {

// Any 16-bit value may occur; the named ones are those this code knows.
enum class RecordType : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  srv = 33,
  opt = 41,
  sshfp = 44,
  tlsa = 52,
  svcb = 64,
  https = 65,
  any = 255,
  caa = 257,
};

enum class RecordClass : std::uint16_t { in = 1, cs = 2, ch = 3, hs = 4, none = 254, any = 255 };

struct A {
  std::array<std::uint8_t, 4> bytes{};
  [[nodiscard]] base::IpAddress address() const { return base::IpAddress::v4(bytes); }
  friend bool operator==(A const&, A const&) = default;
};

// The bytes, since IpAddress folds ::ffff:a.b.c.d into IPv4.
struct Aaaa {
  std::array<std::uint8_t, 16> bytes{};
  [[nodiscard]] base::IpAddress address() const { return base::IpAddress::v6(bytes); }
  friend bool operator==(Aaaa const&, Aaaa const&) = default;
};

struct Ns {
  Name target;
  friend bool operator==(Ns const&, Ns const&) = default;
};

struct Cname {
  Name target;
  friend bool operator==(Cname const&, Cname const&) = default;
};

struct Ptr {
  Name target;
  friend bool operator==(Ptr const&, Ptr const&) = default;
};

// Times in seconds.
struct Soa {
  Name primary;
  Name mailbox;
  std::uint32_t serial = 0;
  std::uint32_t refresh_s = 0;
  std::uint32_t retry_s = 0;
  std::uint32_t expire_s = 0;
  std::uint32_t minimum_s = 0;
  friend bool operator==(Soa const&, Soa const&) = default;
};

struct Mx {
  std::uint16_t preference = 0;
  Name exchange;
  friend bool operator==(Mx const&, Mx const&) = default;
};

// One or more character strings of up to 255 bytes, each behind its length byte.
struct Txt {
  base::Bytes wire;

  // One character string for each part; longer parts are cut into pieces of 254 bytes, as pkarr's
  // own encoder does.
  static Txt from(std::vector<std::string_view> const& parts);
  [[nodiscard]] std::vector<std::string_view> strings() const;
  // All strings joined, which is what SPF, DKIM and their like mean.
  [[nodiscard]] std::string joined() const;
  friend bool operator==(Txt const&, Txt const&) = default;
};

struct Srv {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  Name target;
  friend bool operator==(Srv const&, Srv const&) = default;
};

// RFC 6698 §2.1.
struct Tlsa {
  std::uint8_t usage = 0;
  std::uint8_t selector = 0;
  std::uint8_t matching_type = 0;
  base::Bytes data;
  friend bool operator==(Tlsa const&, Tlsa const&) = default;
};

// RFC 4255 §3.1.
struct Sshfp {
  std::uint8_t algorithm = 0;
  std::uint8_t fingerprint_type = 0;
  base::Bytes fingerprint;
  friend bool operator==(Sshfp const&, Sshfp const&) = default;
};

// RFC 8659 §4.1.
struct Caa {
  std::uint8_t flags = 0;
  std::string tag;
  std::string value;
  friend bool operator==(Caa const&, Caa const&) = default;
};

// Data of a type without a struct here (RFC 3597), or no data at all.
struct RawData {
  base::Bytes bytes;
  friend bool operator==(RawData const&, RawData const&) = default;
};

// Svcb serves both SVCB and HTTPS.
using RecordData =
    std::variant<RawData, A, Aaaa, Ns, Cname, Ptr, Soa, Mx, Txt, Srv, Tlsa, Svcb, Sshfp, Caa>;

struct ResourceRecord {
  Name name;
  RecordType type = RecordType::a;
  RecordClass record_class = RecordClass::in;
  std::uint32_t ttl_s = 0;
  RecordData data;

  // In class IN. `data` holds the struct that belongs to `type`, or RawData.
  static ResourceRecord make(Name name, std::uint32_t ttl_s, RecordType type, RecordData data);
  friend bool operator==(ResourceRecord const&, ResourceRecord const&) = default;
};

// True when `data` holds the struct of `type`, or RawData.
bool data_fits(RecordType type, RecordData const& data);

// True when there is no data although the type has a struct here: dynamic updates (RFC 2136) and
// pkarr's tests have such records, and they say nothing of their name.
bool lacks_data(ResourceRecord const& record);

// "A", "HTTPS"; "TYPE4711" for types without a name here (RFC 3597 §5).
std::string encode_record_type(RecordType type);
// The reverse, in any case. Nullopt for an unknown mnemonic.
std::optional<RecordType> parse_record_type(std::string_view text);
std::string encode_record_class(RecordClass record_class);
std::optional<RecordClass> parse_record_class(std::string_view text);

}  // namespace dotkey::wire::dns
