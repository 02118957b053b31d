// SPDX-License-Identifier: Apache-2.0
// TOML in ASCII. toml++ 3.3 runs into undefined behaviour (is_non_ascii_horizontal_whitespace())
// where it meets certain letters outside of strings, so it only ever gets to see escapes.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace dotkey::host::cli {

// Writes each letter that is not ASCII as its escape (TOML 1.0, "String"), which means the same in
// double quotes and in comments and nothing anywhere else. Line numbers stay. Errors:
// config_malformed for such letters in single quotes, which know no escapes, and for bytes that are
// no UTF-8; the detail is "line 3, column 7: …".
base::Result<std::string> escape_toml(std::string_view text);

}  // namespace dotkey::host::cli
