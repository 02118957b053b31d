// SPDX-License-Identifier: Apache-2.0
// What a command line that cannot be read is answered with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace dotkey::host::cli {

// The candidate that `word` most likely means: at most two letters wrong, missing, too many or
// swapped with their neighbour, and fewer than half of them. Empty where none is so near.
std::string nearest(std::string_view word, std::vector<std::string> const& candidates);

// Lines for stderr: what is wrong, what may have been meant, and whose --help to read.
std::string describe_usage_error(CLI::App const& app, CLI::ParseError const& error);

}  // namespace dotkey::host::cli
