// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace dotkey::custody {

// The 2048 words in alphabetical order, each with a space behind it.
extern std::string_view const bip39_words;

}  // namespace dotkey::custody
