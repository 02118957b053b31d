// SPDX-License-Identifier: Apache-2.0
#include "core/resolve/address_policy.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/text.h"
#include "core/names/hostname.h"
#include "core/names/public_key.h"

namespace dotkey::resolve {

using base::ByteView;
using base::IpAddress;

namespace {

constexpr std::size_t hostname_size_max = 253;

// Names that never leave the machine or its network, or must not be asked for at all.
constexpr std::string_view local_tlds[] = {"localhost", "local", "internal", "intranet",
                                           "lan",       "home",  "corp",     "private"};
constexpr std::string_view forbidden_tlds[] = {"onion", "invalid", "alt", "arpa"};

// The IPv4 address that an IPv6 address carries for a gateway on the way: ::a.b.c.d (RFC 4291
// §2.5.5.1), 64:ff9b::/96 (RFC 6052), 2002::/16 (RFC 3056), and NAT64 prefixes of one's own.
std::optional<IpAddress> embedded_v4(ByteView bytes) {
  auto const v4_at = [&](std::size_t at) { return IpAddress::from_bytes(bytes.subspan(at, 4)); };
  bool const zeros =
      std::all_of(bytes.begin(), bytes.begin() + 12, [](std::uint8_t b) { return b == 0; });
  constexpr std::array<std::uint8_t, 4> nat64 = {0x00, 0x64, 0xff, 0x9b};
  if (zeros || std::equal(nat64.begin(), nat64.end(), bytes.begin())) return v4_at(12);
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return v4_at(2);
  return std::nullopt;
}

bool is_reserved(IpAddress const& address) {
  if (address.is_unspecified() || address.is_multicast()) return true;
  ByteView const bytes = address.bytes();
  if (address.is_v4()) return bytes[0] == 0 || bytes[0] >= 240;
  bool const global = (bytes[0] & 0xe0) == 0x20;  // 2000::/3 is all that IANA has given out
  return !global && !address.is_local_network() && !embedded_v4(bytes);
}

std::string_view last_label_of(std::string_view host) {
  std::size_t const dot = host.rfind('.');
  return dot == std::string_view::npos ? host : host.substr(dot + 1);
}

bool is_hostname(std::string_view host) {
  if (host.empty() || host.size() > hostname_size_max) return false;
  std::size_t label_size = 0;
  for (char const c : host) {
    if (c == '.') {
      if (label_size == 0) return false;
      label_size = 0;
      continue;
    }
    bool const allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!allowed || ++label_size > 63) return false;
  }
  return label_size > 0;
}

// "127.1", "0x7f000001": what C libraries read as an IPv4 address.
bool ends_in_a_number(std::string_view label) {
  if (label.starts_with("0x")) return true;
  return std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool is_address_allowed(IpAddress const& address, LocalNetwork local) {
  if (is_reserved(address)) return false;
  if (!address.is_v4() && !address.is_loopback()) {
    if (auto const inner = embedded_v4(address.bytes())) return is_address_allowed(*inner, local);
  }
  return local == LocalNetwork::allowed || !address.is_local_network();
}

bool is_icann_host_allowed(std::string_view text, LocalNetwork local) {
  std::string const host = base::to_lower_ascii(text);
  if (!is_hostname(host)) return false;
  std::string_view const last = last_label_of(host);
  if (ends_in_a_number(last)) return false;
  if (names::classify(host) != names::Ownership::not_ours) return false;
  if (last.size() == names::key_text_size) return false;  // a key, or meant to be one
  if (host.ends_with(".home.arpa")) return local == LocalNetwork::allowed;
  if (std::find(std::begin(forbidden_tlds), std::end(forbidden_tlds), last) !=
      std::end(forbidden_tlds)) {
    return false;
  }
  bool const is_local = last == host || std::find(std::begin(local_tlds), std::end(local_tlds),
                                                  last) != std::end(local_tlds);
  return !is_local || local == LocalNetwork::allowed;
}

}  // namespace dotkey::resolve
