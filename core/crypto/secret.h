// SPDX-License-Identifier: Apache-2.0
// Secret bytes: wiped when they go out of scope, never printed, compared in constant time.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "core/base/bytes.h"

namespace dotkey::crypto {

// Overwrites memory in a way the compiler keeps.
void wipe(void* data, std::size_t size);

bool equal_in_constant_time(base::ByteView a, base::ByteView b);

template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  ~Secret() { wipe(bytes_.data(), N); }
  Secret(Secret const&) = default;
  Secret& operator=(Secret const&) = default;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_.data(), N); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_.data(), N);
    }
    return *this;
  }

  static std::optional<Secret> from(base::ByteView source) {
    if (source.size() != N) return std::nullopt;
    Secret out;
    std::copy(source.begin(), source.end(), out.bytes_.begin());
    return out;
  }

  [[nodiscard]] base::ByteView expose() const { return bytes_; }
  [[nodiscard]] std::span<std::uint8_t, N> writable() { return bytes_; }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

// An Ed25519 seed (RFC 8032 §5.1.5): the 32 bytes a key pair grows from.
using Seed = Secret<32>;

}  // namespace dotkey::crypto
