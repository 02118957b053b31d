// SPDX-License-Identifier: Apache-2.0
#include "tests/support/seeded_entropy.h"

#include <bit>
#include <cmath>
#include <numbers>

namespace dotkey::test {

SeededEntropy::SeededEntropy(std::uint64_t seed) {
  for (auto& word : state_) {  // splitmix64
    seed += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = seed;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    word = z ^ z >> 31;
  }
}

std::uint64_t SeededEntropy::next() {
  std::uint64_t const result = std::rotl(state_[1] * 5, 7) * 9;
  std::uint64_t const t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void SeededEntropy::fill(std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); i += 8) {
    std::uint64_t word = next();
    for (std::size_t j = i; j < out.size() && j < i + 8; ++j, word >>= 8) {
      out[j] = static_cast<std::uint8_t>(word);
    }
  }
}

double SeededEntropy::unit() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

double SeededEntropy::normal() {
  double const radius = std::sqrt(-2.0 * std::log(1.0 - unit()));
  return radius * std::cos(2.0 * std::numbers::pi * unit());
}

}  // namespace dotkey::test
