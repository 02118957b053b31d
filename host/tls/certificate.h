// SPDX-License-Identifier: Apache-2.0
// X.509 certificates by OpenSSL: reading what a TLSA record pins, minting self-signed ones.
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/engine/entropy.h"
#include "core/engine/time.h"

namespace dotkey::host::tls {

struct CertificateFacts {
  base::Bytes der;
  base::Bytes public_key_der;  // SubjectPublicKeyInfo
  std::string subject;         // RFC 2253, for people
  engine::UnixTime not_after;
};

// The first certificate of a PEM file, or one DER certificate. Errors: certificate_malformed.
base::Result<CertificateFacts> read_certificate(base::ByteView file);

struct MintedCertificate {
  std::string certificate_pem;
  std::string private_key_pem;  // PKCS #8, unencrypted; wipe it after use
};

// P-256, self-signed, for `host` and every name one label below it (SAN), server authentication
// only, valid from a day before `now` for `days`. Errors: crypto_unavailable.
base::Result<MintedCertificate> mint_self_signed(std::string const& host, engine::UnixTime now,
                                                 int days, engine::Entropy& entropy);

// TLSA data for usage 3 (DANE-EE), selector 1 (public key), matching type 1 (SHA-256): RFC 6698 §2,
// and the form RFC 7671 §5.1 recommends.
base::Bytes tlsa_3_1_1(CertificateFacts const& certificate);

}  // namespace dotkey::host::tls
