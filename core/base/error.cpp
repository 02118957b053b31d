// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"

#include <array>
#include <cstddef>

namespace dotkey::base {
namespace {

struct Entry {
  std::string_view slug;
  std::string_view advice;
};

constexpr Entry entries[] = {
#define DOTKEY_ENTRY(name, slug, advice) {slug, advice},
    DOTKEY_ERRORS(DOTKEY_ENTRY)
#undef DOTKEY_ENTRY
};

}  // namespace

std::string_view slug_of(ErrorCode code) {
  return entries[static_cast<std::size_t>(code)].slug;
}

std::string_view advice_for(ErrorCode code) {
  return entries[static_cast<std::size_t>(code)].advice;
}

}  // namespace dotkey::base
