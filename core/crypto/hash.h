// SPDX-License-Identifier: Apache-2.0
// Hashes. SHA-1 is here because BEP 5 and BEP 44 name things by it, not for authenticity.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "core/base/bytes.h"

namespace dotkey::crypto {

// Each hashes the concatenation of `parts`.
std::array<std::uint8_t, 20> sha1(std::initializer_list<base::ByteView> parts);
std::array<std::uint8_t, 32> sha256(std::initializer_list<base::ByteView> parts);
std::array<std::uint8_t, 64> sha512(std::initializer_list<base::ByteView> parts);
std::array<std::uint8_t, 32> blake2b(std::initializer_list<base::ByteView> parts);

// A keyed 64-bit hash (SipHash-2-4): write tokens, hash tables that peers may aim at.
using ShortHashKey = std::array<std::uint8_t, 16>;
std::array<std::uint8_t, 8> short_hash(ShortHashKey const& key, base::ByteView message);

}  // namespace dotkey::crypto
