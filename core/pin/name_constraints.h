// SPDX-License-Identifier: Apache-2.0
// Name constraints of a CA (RFC 5280 §4.2.1.10) held against the names of what it issued.
#pragma once

#include <cstddef>

#include "core/base/bytes.h"
#include "core/pin/certificate.h"

namespace dotkey::pin {

// True for one well-formed NameConstraints value with at most name_subtrees_max subtrees, each
// without minimum and maximum.
bool are_name_constraints(base::ByteView der);

// `constraints` is what Extensions::name_constraints holds; empty permits everything. dNSName and
// iPAddress are compared; a constraint of another kind refuses every certificate that carries a
// name of that kind, because it cannot be judged here. Each constraint held against a name takes
// one from `comparisons_left`; at 0 nothing more is permitted.
bool permits_names(base::ByteView constraints, Certificate const& certificate,
                   std::size_t& comparisons_left);

}  // namespace dotkey::pin
