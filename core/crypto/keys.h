// SPDX-License-Identifier: Apache-2.0
// Ed25519 key material as types (RFC 8032).
#pragma once

#include "core/base/bytes.h"

namespace dotkey::crypto {

// 32 bytes that claim to be an Ed25519 public key; is_on_curve() in ed25519.h checks the claim.
using PublicKey = base::FixedBytes<32, struct PublicKeyTag>;
using Signature = base::FixedBytes<64, struct SignatureTag>;

}  // namespace dotkey::crypto
