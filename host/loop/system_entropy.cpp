// SPDX-License-Identifier: Apache-2.0
#include "host/loop/system_entropy.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/random.h>

#include "core/base/assert.h"
#include "core/crypto/secret.h"

namespace dotkey::host::loop {
namespace {

// A kernel without randomness is no place to make keys: there is no way on.
void fill_from_kernel(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    ssize_t const n = ::getrandom(out.data(), out.size(), 0);
    DOTKEY_ASSERT(n > 0 || errno == EINTR);
    if (n > 0) out = out.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace

SystemEntropy::~SystemEntropy() {
  crypto::wipe(pool_.data(), pool_.size());
}

void SystemEntropy::fill(std::span<std::uint8_t> out) {
  if (out.size() > pool_.size() / 4) return fill_from_kernel(out);
  if (out.size() > pool_.size() - used_) {
    fill_from_kernel(pool_);
    used_ = 0;
  }
  std::memcpy(out.data(), pool_.data() + used_, out.size());
  crypto::wipe(pool_.data() + used_, out.size());  // a draw leaves no copy behind
  used_ += out.size();
}

}  // namespace dotkey::host::loop
