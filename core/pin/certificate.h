// SPDX-License-Identifier: Apache-2.0
// The facts of an X.509 certificate (RFC 5280) that pins and chain checks need, for any key type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace dotkey::pin {

inline constexpr std::size_t certificate_size_max = 32'768;
inline constexpr std::size_t extensions_max = 64;
inline constexpr std::size_t name_subtrees_max = 256;

enum class KeyAlgorithm : std::uint8_t {
  rsa,      // rsaEncryption
  rsa_pss,  // id-RSASSA-PSS: signs with PSS only
  ec_p256,
  ec_p384,
  ec_p521,
  ed25519,
  ed448,
  other,
};

// "RSA", "P-256", … for a person; "unknown" for other.
std::string_view name_of(KeyAlgorithm algorithm);

enum class SignatureScheme : std::uint8_t {
  rsa_pkcs1_sha256,
  rsa_pkcs1_sha384,
  rsa_pkcs1_sha512,
  rsa_pss_sha256,
  rsa_pss_sha384,
  rsa_pss_sha512,
  ecdsa_sha256,
  ecdsa_sha384,
  ecdsa_sha512,
  ed25519,
  other,  // SHA-1, MD5, Ed448, PSS with other parameters, …
};

// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
struct PublicKeyInfo {
  base::ByteView der;
  KeyAlgorithm algorithm = KeyAlgorithm::other;
  base::ByteView key;  // what the BIT STRING holds

  // The key itself when it is one of Ed25519 (RFC 8410), else nullopt.
  [[nodiscard]] std::optional<crypto::PublicKey> ed25519_key() const;
};

enum class ServerUse : std::uint8_t { unrestricted, permitted, forbidden };

struct Extensions {
  base::ByteView subject_alt_names;  // the GeneralNames, well formed; empty when there are none
  base::ByteView name_constraints;   // the NameConstraints, well formed; empty when there are none
  bool is_ca = false;
  std::optional<std::uint32_t> path_length_max;
  // RFC 5280 §4.2.1.3, bit 0 (digitalSignature) lowest; nullopt when the extension is absent.
  std::optional<std::uint16_t> key_usage;
  // What extendedKeyUsage says of TLS servers; anyExtendedKeyUsage permits.
  ServerUse server_use = ServerUse::unrestricted;
  // A critical extension that is not one of the above nor certificatePolicies.
  bool has_unknown_critical = false;

  static constexpr std::uint16_t key_cert_sign = 1U << 5;
};

// Every view points into the bytes that were parsed; they must outlive this.
struct Certificate {
  base::ByteView der;
  base::ByteView tbs;  // what the issuer signed
  std::uint8_t version = 1;
  base::ByteView serial;   // two's complement
  base::ByteView issuer;   // Name, DER
  base::ByteView subject;  // Name, DER
  std::int64_t not_before_s = 0;
  std::int64_t not_after_s = 0;
  PublicKeyInfo public_key;
  SignatureScheme signature_scheme = SignatureScheme::other;
  base::ByteView signature;
  Extensions extensions;

  [[nodiscard]] bool is_self_issued() const { return base::equal(issuer, subject); }
  // The dNSNames of subjectAltName as they stand there, at most `count_max`, for a person to read.
  [[nodiscard]] std::vector<std::string> dns_names(std::size_t count_max = 100) const;
};

// One certificate in strict DER, nothing after it. Signatures are not checked here.
// Errors: certificate_malformed with the field in its detail.
base::Result<Certificate> parse_certificate(base::ByteView der);

// One SubjectPublicKeyInfo, nothing after it. Errors: certificate_malformed.
base::Result<PublicKeyInfo> parse_public_key_info(base::ByteView der);

}  // namespace dotkey::pin
