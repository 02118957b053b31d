// SPDX-License-Identifier: Apache-2.0
#include "core/relay/target.h"

#include <string>

#include "core/base/text.h"
#include "core/names/public_key.h"

namespace dotkey::relay {

using base::ErrorCode;
using base::Result;

namespace {

constexpr std::size_t target_size_max = 2048;

// Percent-encoding undone (RFC 3986 §2.1); nullopt when it is malformed.
std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    auto const byte = base::parse_hex(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    out += static_cast<char>(byte->front());
    i += 2;
  }
  return out;
}

}  // namespace

std::optional<Target> split_target(std::string_view target) {
  if (target.size() > target_size_max || !target.starts_with('/')) return std::nullopt;
  std::size_t const mark = target.find('?');
  Target out;
  out.segment = target.substr(1, mark == std::string_view::npos ? mark : mark - 1);
  if (mark != std::string_view::npos) out.query = target.substr(mark + 1);
  if (out.segment.empty() || out.segment.find('/') != std::string_view::npos) return std::nullopt;
  return out;
}

std::optional<PublicKey> spelled_key(std::string_view segment) {
  if (segment.size() != names::key_text_size) return std::nullopt;
  auto const bytes = base::parse_zbase32(segment);
  return bytes ? PublicKey::from(*bytes) : std::nullopt;
}

Result<PublicKey> parse_segment(std::string_view segment) {
  auto const text = decode_percent(segment);
  if (!text) return base::fail(ErrorCode::key_malformed, "the percent-encoding is malformed");
  return names::parse_public_key(*text);
}

std::optional<Policy> policy_of(std::string_view query) {
  while (!query.empty()) {
    std::size_t const end = query.find('&');
    std::string_view const pair = query.substr(0, end);
    if (pair.starts_with("policy=")) return parse_policy(pair.substr(7));
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
  }
  return Policy::cache_first;
}

}  // namespace dotkey::relay
