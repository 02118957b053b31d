// SPDX-License-Identifier: Apache-2.0
// The kernel's random generator as the core's Entropy port.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/engine/entropy.h"

namespace dotkey::host::loop {

// Reads ahead a little: a DHT lookup wants many small draws. Not for two threads at once.
class SystemEntropy final : public engine::Entropy {
 public:
  SystemEntropy() = default;
  ~SystemEntropy() override;
  SystemEntropy(SystemEntropy const&) = delete;
  SystemEntropy& operator=(SystemEntropy const&) = delete;

  void fill(std::span<std::uint8_t> out) override;

 private:
  std::array<std::uint8_t, 512> pool_{};
  std::size_t used_ = pool_.size();
};

}  // namespace dotkey::host::loop
