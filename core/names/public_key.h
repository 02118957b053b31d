// SPDX-License-Identifier: Apache-2.0
// Public keys as people write them: z-base-32, alone or inside a URI or a host name.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace dotkey::names {

// 32 bytes in z-base-32; the last character carries one bit and four spare ones.
inline constexpr std::size_t key_text_size = 52;

// Exactly key_text_size characters, lower case. The 16 spellings that differ in the spare bits give
// the same key, so what was typed is never an identity: format_public_key() is.
// Errors: key_malformed, key_not_on_curve; the detail tells a person what to look at.
base::Result<crypto::PublicKey> parse_bare_public_key(std::string_view text);

// A bare key, or any text with the key inside a URI's authority, by pkarr's rules: "pk:KEY",
// "https://user@sub.KEY.:8888/path?query#fragment", "mailto:user@KEY". Where the last label is no
// key, the last label that is one counts: "KEY.key", "KEY.my.trusted.dns". A port needs a scheme.
// Errors: as above.
base::Result<crypto::PublicKey> parse_public_key(std::string_view text);

// The one canonical spelling.
std::string format_public_key(crypto::PublicKey const& key);
// "pk:" and the canonical spelling.
std::string format_public_key_uri(crypto::PublicKey const& key);

}  // namespace dotkey::names
