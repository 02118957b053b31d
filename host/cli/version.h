// SPDX-License-Identifier: Apache-2.0
// The program's name and version.
#pragma once

#include <string_view>

namespace dotkey::host::cli {

inline constexpr std::string_view version_number = DOTKEY_VERSION;
inline constexpr std::string_view version_line = "dotkey " DOTKEY_VERSION;

}  // namespace dotkey::host::cli
