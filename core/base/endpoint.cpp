// SPDX-License-Identifier: Apache-2.0
#include "core/base/endpoint.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/base/integers.h"

namespace dotkey::base {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> out{};
  for (std::size_t i = 0; i < 4; ++i) {
    std::size_t const dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    std::string_view const part = text.substr(0, dot);
    if (part.size() > 1 && part[0] == '0') return std::nullopt;  // 010 means eight to some parsers
    auto const value = parse_decimal<std::uint8_t>(part);
    if (!value) return std::nullopt;
    out[i] = *value;
    text.remove_prefix(i < 3 ? dot + 1 : dot);
  }
  return out;
}

// Groups of one side of "::". A dotted quad may stand as the last two groups.
std::optional<std::vector<std::uint16_t>> parse_groups(std::string_view text) {
  std::vector<std::uint16_t> out;
  while (!text.empty()) {
    if (out.size() > 8) return std::nullopt;
    std::size_t const colon = text.find(':');
    std::string_view const part = text.substr(0, colon);
    if (colon == std::string_view::npos && part.find('.') != std::string_view::npos) {
      auto const quad = parse_v4(part);
      if (!quad) return std::nullopt;
      out.push_back(read_be<std::uint16_t>(*quad, 0));
      out.push_back(read_be<std::uint16_t>(*quad, 2));
      return out;
    }
    std::uint16_t value = 0;
    auto const [stop, error] = std::from_chars(part.data(), part.data() + part.size(), value, 16);
    if (part.empty() || part.size() > 4 || error != std::errc() ||
        stop != part.data() + part.size()) {
      return std::nullopt;
    }
    out.push_back(value);
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;  // a single trailing colon
  }
  return out;
}

std::optional<std::array<std::uint8_t, 16>> parse_v6(std::string_view text) {
  std::size_t const gap = text.find("::");
  std::vector<std::uint16_t> groups;
  if (gap == std::string_view::npos) {
    auto all = parse_groups(text);
    if (!all || all->size() != 8) return std::nullopt;
    groups = std::move(*all);
  } else {
    auto head = parse_groups(text.substr(0, gap));
    auto tail = parse_groups(text.substr(gap + 2));
    if (!head || !tail || head->size() + tail->size() > 7) return std::nullopt;
    groups = std::move(*head);
    groups.resize(8 - tail->size());
    groups.insert(groups.end(), tail->begin(), tail->end());
  }
  std::array<std::uint8_t, 16> out{};
  for (std::size_t i = 0; i < 8; ++i) write_be(out.data() + 2 * i, groups[i]);
  return out;
}

bool has_prefix(ByteView bytes, std::array<std::uint8_t, 4> network, unsigned bits) {
  std::uint32_t const mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  return (read_be<std::uint32_t>(bytes) & mask) == (read_be<std::uint32_t>(network) & mask);
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
  return hash ^ hash >> 32;
}

}  // namespace

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
  IpAddress out;
  std::copy(bytes.begin(), bytes.end(), out.bytes_.begin());
  return out;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> bytes) {
  if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin())) {
    return v4({bytes[12], bytes[13], bytes[14], bytes[15]});
  }
  IpAddress out;
  out.bytes_ = bytes;
  out.family_ = IpFamily::v6;
  return out;
}

std::optional<IpAddress> IpAddress::from_bytes(ByteView bytes) {
  if (bytes.size() == 4) return v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  if (bytes.size() != 16) return std::nullopt;
  std::array<std::uint8_t, 16> copy{};
  std::copy(bytes.begin(), bytes.end(), copy.begin());
  return v6(copy);
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    if (auto const quad = parse_v4(text)) return v4(*quad);
  } else if (auto const groups = parse_v6(text)) {
    return v6(*groups);
  }
  return fail(ErrorCode::address_malformed, std::string(text));
}

std::string IpAddress::to_string() const {
  if (is_v4()) {
    std::string out;
    for (std::size_t i = 0; i < 4; ++i) {
      if (i > 0) out += '.';
      out += std::to_string(bytes_[i]);
    }
    return out;
  }
  // RFC 5952 §4.2: the longest run of at least two zero groups is shortened, the first of equals.
  std::size_t run_start = 8;
  std::size_t run_size = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t size = 0;
    while (i + size < 8 && read_be<std::uint16_t>(bytes_, 2 * (i + size)) == 0) ++size;
    if (size > run_size) {
      run_start = i;
      run_size = size;
    }
  }
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == run_start) {
      out += "::";
      i += run_size - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    char digits[4];
    auto const end = std::to_chars(digits, digits + 4, read_be<std::uint16_t>(bytes_, 2 * i), 16);
    out.append(digits, end.ptr);
  }
  return out;
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_local_network() const {
  if (is_loopback()) return true;
  if (is_v4()) {
    return has_prefix(bytes_, {10, 0, 0, 0}, 8) || has_prefix(bytes_, {172, 16, 0, 0}, 12) ||
           has_prefix(bytes_, {192, 168, 0, 0}, 16) || has_prefix(bytes_, {169, 254, 0, 0}, 16) ||
           has_prefix(bytes_, {100, 64, 0, 0}, 10);
  }
  return (bytes_[0] & 0xfe) == 0xfc || (bytes_[0] == 0xfe && (bytes_[1] & 0x80) == 0x80);
}

bool IpAddress::is_global() const {
  if (is_unspecified() || is_multicast() || is_local_network()) return false;
  if (is_v4()) {
    return bytes_[0] != 0 && bytes_[0] < 240 && !has_prefix(bytes_, {192, 0, 0, 0}, 24) &&
           !has_prefix(bytes_, {192, 0, 2, 0}, 24) && !has_prefix(bytes_, {198, 18, 0, 0}, 15) &&
           !has_prefix(bytes_, {198, 51, 100, 0}, 24) && !has_prefix(bytes_, {203, 0, 113, 0}, 24);
  }
  bool const documentation = has_prefix(bytes_, {0x20, 0x01, 0x0d, 0xb8}, 32);
  // 64:ff9b::/96 and 2002::/16 wrap an IPv4 address: a way around the checks above.
  bool const wraps_v4 = has_prefix(bytes_, {0x00, 0x64, 0xff, 0x9b}, 32) ||
                        has_prefix(bytes_, {0x20, 0x02, 0, 0}, 16);
  return (bytes_[0] & 0xe0) == 0x20 && !documentation && !wraps_v4;
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  std::size_t const colon = text.rfind(':');
  auto const malformed = [&] { return fail(ErrorCode::address_malformed, std::string(text)); };
  if (colon == std::string_view::npos) return malformed();
  auto const port = parse_decimal<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  bool const bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!port || *port == 0 || bracketed != (host.find(':') != std::string_view::npos)) {
    return malformed();
  }
  auto const address = IpAddress::parse(host);
  if (!address) return malformed();
  return Endpoint{*address, *port};
}

std::string Endpoint::to_string() const {
  std::string const host = address.to_string();
  return (address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

std::size_t HashEndpoint::operator()(IpAddress const& address) const {
  std::uint64_t words[2] = {};
  std::memcpy(words, address.bytes().data(), address.bytes().size());
  return static_cast<std::size_t>(mix(mix(key ^ 0x9e3779b97f4a7c15ULL, words[0]), words[1]));
}

std::size_t HashEndpoint::operator()(Endpoint const& endpoint) const {
  return static_cast<std::size_t>(mix((*this)(endpoint.address), endpoint.port));
}

}  // namespace dotkey::base
