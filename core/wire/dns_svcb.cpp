// SPDX-License-Identifier: Apache-2.0
#include "core/wire/dns_svcb.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/integers.h"
#include "core/base/text.h"
#include "core/wire/character_string.h"

namespace dotkey::wire::dns {
namespace {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::IpAddress;
using base::Result;

constexpr std::string_view key_names[] = {"mandatory", "alpn", "no-default-alpn", "port",
                                          "ipv4hint",  "ech",  "ipv6hint"};

bool is_well_formed_mandatory(Svcb const& record, ByteView value) {
  if (value.empty() || value.size() % 2 != 0) return false;
  std::uint32_t previous = 0;  // also: `mandatory` must not list itself (RFC 9460 §8)
  for (std::size_t at = 0; at < value.size(); at += 2) {
    auto const key = base::read_be<std::uint16_t>(value, at);
    if (key <= previous || record.find(key) == nullptr) return false;
    previous = key;
  }
  return true;
}

bool is_well_formed_alpn(ByteView value) {
  if (value.empty()) return false;
  while (!value.empty()) {
    std::size_t const size = value[0];
    if (size == 0 || size >= value.size()) return false;
    value = value.subspan(1 + size);
  }
  return true;
}

bool is_well_formed_value(std::uint16_t key, ByteView value) {
  switch (key) {
    case svc_key::alpn:
      return is_well_formed_alpn(value);
    case svc_key::no_default_alpn:
      return value.empty();
    case svc_key::port:
      return value.size() == 2;
    case svc_key::ipv4hint:
      return !value.empty() && value.size() % 4 == 0;
    case svc_key::ipv6hint:
      return !value.empty() && value.size() % 16 == 0;
    // An ECHConfigList begins with its own size (RFC 9849 §4).
    case svc_key::ech:
      return value.size() > 2 && base::read_be<std::uint16_t>(value) == value.size() - 2;
    default:
      return true;
  }
}

base::Failure syntax_error(std::string_view word, std::string_view why) {
  std::string detail = encode_quoted(word);
  detail += why;
  return fail(ErrorCode::zone_syntax, std::move(detail));
}

std::vector<IpAddress> addresses_of(SvcParam const* param, std::size_t size) {
  std::vector<IpAddress> out;
  if (param == nullptr || param->value.size() % size != 0) return out;
  for (std::size_t at = 0; at < param->value.size(); at += size) {
    out.push_back(*IpAddress::from_bytes(ByteView(param->value).subspan(at, size)));
  }
  return out;
}

Bytes encode_alpn(std::vector<std::string> const& protocols) {
  Bytes out;
  for (std::string const& protocol : protocols) {
    out.push_back(static_cast<std::uint8_t>(protocol.size()));
    base::append(out, protocol);
  }
  return out;
}

// RFC 9460 §A.1: items are separated by commas; `\,` and `\\` stand for themselves.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out(1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == ',') {
      out.emplace_back();
      continue;
    }
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    out.back() += text[at];
  }
  return out;
}

Result<Bytes> parse_mandatory(std::vector<std::string> const& items) {
  std::vector<std::uint16_t> keys;
  for (std::string const& item : items) {
    auto const key = parse_svc_key(item);
    if (!key) return syntax_error(item, " is no SvcParamKey");
    keys.push_back(*key);
  }
  std::sort(keys.begin(), keys.end());
  Bytes out;
  for (std::uint16_t const key : keys) base::append_be(out, key);
  return out;
}

Result<Bytes> parse_hints(std::vector<std::string> const& items, bool ipv4) {
  Bytes out;
  for (std::string const& item : items) {
    auto const address = parse_address_bytes(item, ipv4);
    if (!address) {
      return syntax_error(item, ipv4 ? " is no IPv4 address" : " is no IPv6 address");
    }
    base::append(out, *address);
  }
  return out;
}

Result<Bytes> parse_value(std::uint16_t key, std::string const& value) {
  switch (key) {
    case svc_key::mandatory:
      return parse_mandatory(split_list(value));
    case svc_key::alpn: {
      auto const protocols = split_list(value);
      for (std::string const& protocol : protocols) {
        if (protocol.empty() || protocol.size() > 255) {
          return fail(ErrorCode::zone_syntax, "an ALPN id has 1 to 255 bytes");
        }
      }
      return encode_alpn(protocols);
    }
    case svc_key::no_default_alpn:
      if (value.empty()) return Bytes{};
      return fail(ErrorCode::zone_syntax, "no-default-alpn takes no value");
    case svc_key::port: {
      auto const port = base::parse_decimal<std::uint16_t>(value);
      if (!port) return fail(ErrorCode::zone_syntax, "a port is a number up to 65535");
      Bytes out;
      base::append_be(out, *port);
      return out;
    }
    case svc_key::ipv4hint:
      return parse_hints(split_list(value), true);
    case svc_key::ipv6hint:
      return parse_hints(split_list(value), false);
    case svc_key::ech: {
      auto ech = base::parse_base64(value, base::Base64Alphabet::standard);
      if (!ech) return fail(ErrorCode::zone_syntax, "ech is base64");
      return ech;
    }
    default:
      return base::to_bytes(value);
  }
}

void append_list_item(std::string& out, std::string_view item) {
  if (!out.empty()) out += ',';
  for (char const c : item) {
    if (c == ',' || c == '\\') out += '\\';
    out += c;
  }
}

std::string list_of(SvcParam const& param) {
  std::string out;
  ByteView const value = param.value;
  std::size_t const address_size = param.key == svc_key::ipv4hint ? 4 : 16;
  for (std::size_t at = 0; at < value.size();) {
    if (param.key == svc_key::mandatory) {
      append_list_item(out, encode_svc_key(base::read_be<std::uint16_t>(value, at)));
      at += 2;
    } else if (param.key == svc_key::alpn) {
      append_list_item(out, base::text_of(value.subspan(at + 1, value[at])));
      at += 1U + value[at];
    } else {
      append_list_item(out, encode_address_bytes(value.subspan(at, address_size)));
      at += address_size;
    }
  }
  return out;
}

}  // namespace

void Svcb::set(std::uint16_t key, Bytes value) {
  auto const at = std::find_if(params.begin(), params.end(),
                               [key](SvcParam const& param) { return param.key >= key; });
  if (at != params.end() && at->key == key) {
    at->value = std::move(value);
  } else {
    params.insert(at, SvcParam{key, std::move(value)});
  }
}

void Svcb::set_alpn(std::vector<std::string_view> const& protocols) {
  std::vector<std::string> copies;
  for (std::string_view const protocol : protocols) {
    DOTKEY_ASSERT(!protocol.empty() && protocol.size() <= 255);
    copies.emplace_back(protocol);
  }
  set(svc_key::alpn, encode_alpn(copies));
}

void Svcb::set_port(std::uint16_t port) {
  Bytes value;
  base::append_be(value, port);
  set(svc_key::port, std::move(value));
}

SvcParam const* Svcb::find(std::uint16_t key) const {
  for (SvcParam const& param : params) {
    if (param.key == key) return &param;
  }
  return nullptr;
}

std::vector<std::uint16_t> Svcb::mandatory() const {
  std::vector<std::uint16_t> out;
  SvcParam const* const param = find(svc_key::mandatory);
  if (param == nullptr || param->value.size() % 2 != 0) return out;
  for (std::size_t at = 0; at < param->value.size(); at += 2) {
    out.push_back(base::read_be<std::uint16_t>(param->value, at));
  }
  return out;
}

std::vector<std::string_view> Svcb::alpn() const {
  std::vector<std::string_view> out;
  SvcParam const* const param = find(svc_key::alpn);
  if (param == nullptr || !is_well_formed_alpn(param->value)) return out;
  ByteView rest = param->value;
  while (!rest.empty()) {
    out.push_back(base::text_of(rest.subspan(1, rest[0])));
    rest = rest.subspan(1U + rest[0]);
  }
  return out;
}

std::optional<std::uint16_t> Svcb::port() const {
  SvcParam const* const param = find(svc_key::port);
  if (param == nullptr || param->value.size() != 2) return std::nullopt;
  return base::read_be<std::uint16_t>(param->value);
}

std::vector<IpAddress> Svcb::ipv4hints() const {
  return addresses_of(find(svc_key::ipv4hint), 4);
}

std::vector<IpAddress> Svcb::ipv6hints() const {
  return addresses_of(find(svc_key::ipv6hint), 16);
}

bool Svcb::is_well_formed() const {
  for (SvcParam const& param : params) {
    bool const good = param.key == svc_key::mandatory
                          ? is_well_formed_mandatory(*this, param.value)
                          : is_well_formed_value(param.key, param.value);
    if (!good) return false;
  }
  // RFC 9460 §7.1.1: no-default-alpn asks for alpn beside it.
  return find(svc_key::no_default_alpn) == nullptr || find(svc_key::alpn) != nullptr;
}

std::string encode_svc_key(std::uint16_t key) {
  if (key < std::size(key_names)) return std::string(key_names[key]);
  return "key" + std::to_string(key);
}

std::optional<std::uint16_t> parse_svc_key(std::string_view text) {
  std::string const lower = base::to_lower_ascii(text);
  for (std::size_t i = 0; i < std::size(key_names); ++i) {
    if (key_names[i] == lower) return static_cast<std::uint16_t>(i);
  }
  if (!lower.starts_with("key")) return std::nullopt;
  return base::parse_decimal<std::uint16_t>(std::string_view(lower).substr(3));
}

Result<SvcParam> parse_svc_param(std::string_view key, std::optional<std::string> const& value) {
  auto const number = parse_svc_key(key);
  if (!number) return syntax_error(key, " is no SvcParamKey");
  bool const generic = base::to_lower_ascii(key) != encode_svc_key(*number);
  if (generic || *number >= std::size(key_names)) {
    return SvcParam{*number, base::to_bytes(value.value_or(""))};
  }
  if (!value && *number != svc_key::no_default_alpn) {
    return syntax_error(key, " needs a value");
  }
  auto bytes = parse_value(*number, value.value_or(""));
  if (!bytes) return tl::unexpected(bytes.error());
  return SvcParam{*number, std::move(*bytes)};
}

std::string encode_svc_param(SvcParam const& param) {
  std::string key = encode_svc_key(param.key);
  if (param.value.empty()) return key;
  switch (param.key) {
    case svc_key::mandatory:
    case svc_key::ipv4hint:
    case svc_key::ipv6hint:
      return key + "=" + list_of(param);
    case svc_key::port:
      return key + "=" + std::to_string(base::read_be<std::uint16_t>(param.value));
    case svc_key::ech:
      return key + "=" + base::encode_base64(param.value, base::Base64Alphabet::standard);
    case svc_key::alpn:
      return key + "=" + encode_quoted(list_of(param));
    default:
      return key + "=" + encode_quoted(base::text_of(param.value));
  }
}

}  // namespace dotkey::wire::dns
