// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an expected failure. tl::expected until std::expected is in all our
// toolchains.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "core/base/error.h"

namespace dotkey::base {

template <class T>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

[[nodiscard]] inline Failure fail(ErrorCode code) {
  return Failure(Error(code));
}

[[nodiscard]] inline Failure fail(ErrorCode code, std::string detail) {
  return Failure(Error(code, std::move(detail)));
}

}  // namespace dotkey::base
