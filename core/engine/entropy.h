// SPDX-License-Identifier: Apache-2.0
// Randomness as a parameter: the host gives the system's generator, the simulator a seeded one.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/base/bytes.h"

namespace dotkey::engine {

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  template <class Fixed>
  Fixed next_bytes() {
    Fixed out;
    fill(out.bytes);
    return out;
  }

  std::uint64_t next_u64() {
    std::array<std::uint8_t, 8> buffer{};
    fill(buffer);
    std::uint64_t value = 0;
    for (std::uint8_t const byte : buffer) value = value << 8 | byte;
    return value;
  }

  // Uniform enough in [0, bound): the bias is below 2^-32 for every bound used here. bound > 0.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>((next_u64() >> 32) * bound >> 32);
  }
};

}  // namespace dotkey::engine
