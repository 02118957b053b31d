// SPDX-License-Identifier: Apache-2.0
#include "core/names/public_key.h"

#include <algorithm>
#include <optional>

#include "core/base/text.h"
#include "core/crypto/ed25519.h"

namespace dotkey::names {

using base::ErrorCode;
using base::Result;
using crypto::PublicKey;

namespace {

// What is wrong with text that z-base-32 refuses.
std::string detail_of(std::string_view text) {
  if (text.size() != key_text_size) {
    return std::to_string(text.size()) + " characters, " + std::to_string(key_text_size) +
           " expected";
  }
  auto const foreign = std::find_if(text.begin(), text.end(),
                                    [](char c) { return !base::parse_zbase32(std::string(8, c)); });
  if (foreign == text.end()) return {};
  auto const byte = static_cast<std::uint8_t>(*foreign);
  std::string const shown = byte > 0x20 && byte < 0x7f ? std::string{'\'', *foreign, '\''}
                                                       : "byte 0x" + base::encode_hex({&byte, 1});
  if (byte >= 'A' && byte <= 'Z') return shown + " is upper case, z-base-32 is lower case";
  return shown + " is not a z-base-32 character";
}

// The part of a URI that can hold the key. Each of pkarr's rules applies only while the text is
// longer than a key, in this order.
std::string_view narrow(std::string_view text) {
  auto const is_longer = [&text] { return text.size() > key_text_size; };
  auto const drop_through = [&text](char mark) {
    auto const at = text.find(mark);
    if (at != std::string_view::npos) text.remove_prefix(at + 1);
  };
  if (is_longer()) drop_through(':');
  if (is_longer() && text.substr(0, 2) == "//") text.remove_prefix(2);
  if (is_longer()) drop_through('@');
  if (is_longer()) text = text.substr(0, text.find_first_of(":/?#"));
  while (is_longer() && text.front() == '.') text.remove_prefix(1);
  while (is_longer() && text.back() == '.') text.remove_suffix(1);
  return text;
}

}  // namespace

Result<PublicKey> parse_bare_public_key(std::string_view text) {
  if (text.size() != key_text_size) return base::fail(ErrorCode::key_malformed, detail_of(text));
  auto const bytes = base::parse_zbase32(text);
  if (!bytes) return base::fail(ErrorCode::key_malformed, detail_of(text));
  auto const key = PublicKey::from(*bytes);
  if (!key) return base::fail(ErrorCode::key_malformed);
  if (!crypto::is_on_curve(*key)) return base::fail(ErrorCode::key_not_on_curve);
  return *key;
}

Result<PublicKey> parse_public_key(std::string_view text) {
  std::string_view rest = narrow(text);
  std::optional<base::Error> error;
  std::size_t explained_size = 0;
  for (;;) {
    std::size_t const dot = rest.rfind('.');
    std::string_view const label = rest.substr(dot == std::string_view::npos ? 0 : dot + 1);
    auto key = parse_bare_public_key(label);
    if (key) return key;
    // A person wants to read about the label that was meant to be the key: the longest that is
    // not longer than a key.
    bool const is_better = label.size() <= key_text_size && label.size() > explained_size;
    if (!error || is_better) {
      error = std::move(key.error());
      explained_size = label.size();
    }
    if (dot == std::string_view::npos) return base::Failure(std::move(*error));
    rest = rest.substr(0, dot);
  }
}

std::string format_public_key(PublicKey const& key) {
  return base::encode_zbase32(key.view());
}

std::string format_public_key_uri(PublicKey const& key) {
  return "pk:" + format_public_key(key);
}

}  // namespace dotkey::names
