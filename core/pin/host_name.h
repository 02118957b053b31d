// SPDX-License-Identifier: Apache-2.0
// Whether a certificate names a host (RFC 9525): subjectAltName dNSName only, never the common
// name.
#pragma once

#include <string_view>

#include "core/pin/certificate.h"

namespace dotkey::pin {

// `presented` is a dNSName of a certificate, `host` the name asked for; ASCII case does not matter
// and `host` may end in a dot. '*' stands for exactly one label, is the whole left-most one, and
// has two labels or more to its right: "*.key" would name every key there is.
bool matches_host(std::string_view presented, std::string_view host);

// True when a dNSName of the certificate matches. An IP address is never a host here.
bool names_host(Certificate const& certificate, std::string_view host);

}  // namespace dotkey::pin
