// SPDX-License-Identifier: Apache-2.0
// Runs this program once more and reads what it prints.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace dotkey::host::install {

struct ChildOutput {
  int exit_code = 0;  // -1: ended by a signal, the one of a timeout among them
  std::string out;
  std::string err;
};

inline constexpr std::size_t child_output_size_max = 1024 * 1024;

// `command`: an absolute path and its arguments. Errors: install_child_failed when it cannot be
// started.
base::Result<ChildOutput> run_child(std::vector<std::string> const& command,
                                    std::chrono::milliseconds patience);

}  // namespace dotkey::host::install
