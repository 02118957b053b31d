// SPDX-License-Identifier: Apache-2.0
#include "core/base/assert.h"

#include <cstdlib>

namespace dotkey::base {

// Kept in statics so that a debugger or a core dump shows what was expected, and where.
[[noreturn]] void assertion_failed(char const* expression, char const* file, int line) noexcept {
  [[maybe_unused]] static char const* volatile last_expression;
  [[maybe_unused]] static char const* volatile last_file;
  [[maybe_unused]] static int volatile last_line;
  last_expression = expression;
  last_file = file;
  last_line = line;
  std::abort();
}

}  // namespace dotkey::base
