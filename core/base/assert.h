// SPDX-License-Identifier: Apache-2.0
// Always-on assertions, for our own bugs. Never for input: hostile bytes get a Result or a counter.
#pragma once

namespace dotkey::base {

// Prints the broken expectation and ends the program (wasm: traps; the driver restarts the core).
[[noreturn]] void assertion_failed(char const* expression, char const* file, int line) noexcept;

}  // namespace dotkey::base

#define DOTKEY_ASSERT(expression) \
  (static_cast<bool>(expression)  \
       ? static_cast<void>(0)     \
       : ::dotkey::base::assertion_failed(#expression, __FILE__, __LINE__))
