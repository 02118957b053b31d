// SPDX-License-Identifier: Apache-2.0
// Reads the extensions of a certificate (RFC 5280 §4.2) into the few facts that are used.
#pragma once

#include <optional>

#include "core/base/bytes.h"
#include "core/pin/certificate.h"
#include "core/pin/der.h"

namespace dotkey::pin {

// The choices of GeneralName (RFC 5280 §4.2.1.6) by their tags.
namespace general_name {

inline constexpr std::uint8_t dns = der::context(2);
inline constexpr std::uint8_t directory = der::context_constructed(4);
inline constexpr std::uint8_t ip = der::context(7);

}  // namespace general_name

// `der` is the SEQUENCE OF Extension, whole. nullopt: malformed, empty, an extension twice, or more
// than extensions_max of them.
std::optional<Extensions> parse_extensions(base::ByteView der);

// True for a well-formed element of one of the nine kinds; the kinds not used are not looked into.
bool is_general_name(DerElement const& element);

}  // namespace dotkey::pin
