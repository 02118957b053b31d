// SPDX-License-Identifier: Apache-2.0
// Randomness that the driver hands in with a call: the module itself has none.
#pragma once

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/engine/entropy.h"

namespace dotkey::wasm {

// Each byte is given out once; to ask for more than there is, is our bug and traps.
class GivenEntropy final : public engine::Entropy {
 public:
  explicit GivenEntropy(base::ByteView bytes) : rest_(bytes) {}

  void fill(std::span<std::uint8_t> out) override {
    DOTKEY_ASSERT(out.size() <= rest_.size());
    std::copy_n(rest_.begin(), out.size(), out.begin());
    rest_ = rest_.subspan(out.size());
  }

 private:
  base::ByteView rest_;
};

}  // namespace dotkey::wasm
