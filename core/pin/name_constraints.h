// SPDX-License-Identifier: Apache-2.0
// Name constraints of a CA (RFC 5280 §4.2.1.10) held against the names of what it issued.
#pragma once

#include "core/base/bytes.h"
#include "core/pin/certificate.h"

namespace dotkey::pin {

// True for one well-formed NameConstraints value with at most name_subtrees_max subtrees, each
// without minimum and maximum.
bool are_name_constraints(base::ByteView der);

// `constraints` is what Extensions::name_constraints holds; empty permits everything. dNSName and
// iPAddress are compared; a constraint of another kind refuses every certificate that carries a
// name of that kind, because it cannot be judged here.
bool permits_names(base::ByteView constraints, Certificate const& certificate);

}  // namespace dotkey::pin
