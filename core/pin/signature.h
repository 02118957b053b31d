// SPDX-License-Identifier: Apache-2.0
// Signatures on certificates: RSA and ECDSA by mbedTLS, Ed25519 by libsodium.
#pragma once

#include <cstdint>

#include "core/pin/certificate.h"

namespace dotkey::pin {

enum class SignatureCheck : std::uint8_t {
  valid,
  invalid,
  // An algorithm, curve or key size that is not accepted: SHA-1, RSA below 2,048 or above 8,192
  // bits, an RSA exponent of more than 32 bits, …
  unsupported,
};

// Whether `issuer` signed `certificate`. Ed25519 is checked with libsodium's strict rules.
SignatureCheck verify_signature(Certificate const& certificate, PublicKeyInfo const& issuer);

}  // namespace dotkey::pin
