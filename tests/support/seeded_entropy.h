// SPDX-License-Identifier: Apache-2.0
// Reproducible randomness for tests and simulations: xoshiro256** from one seed.
#pragma once

#include "core/engine/entropy.h"

namespace dotkey::test {

class SeededEntropy final : public engine::Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed);
  void fill(std::span<std::uint8_t> out) override;
  std::uint64_t next();
  // Uniform in [0, 1).
  double unit();
  // Standard normal deviate.
  double normal();

 private:
  std::uint64_t state_[4];
};

}  // namespace dotkey::test
