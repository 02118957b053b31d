// SPDX-License-Identifier: Apache-2.0
#include "core/pin/signature.h"

#include <array>

#include <mbedtls/bignum.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/rsa.h>

#include "core/crypto/ed25519.h"
#include "core/pin/der.h"

namespace dotkey::pin {
namespace {

using base::ByteView;

constexpr std::size_t modulus_bits_min = 2048;
constexpr std::size_t modulus_bits_max = 8192;
constexpr std::size_t exponent_size_max = 4;

class BigNumber {
 public:
  BigNumber() { mbedtls_mpi_init(&value_); }
  ~BigNumber() { mbedtls_mpi_free(&value_); }
  BigNumber(BigNumber const&) = delete;
  BigNumber& operator=(BigNumber const&) = delete;
  bool assign(ByteView bytes) {
    return mbedtls_mpi_read_binary(&value_, bytes.data(), bytes.size()) == 0;
  }
  mbedtls_mpi* get() { return &value_; }

 private:
  mbedtls_mpi value_;
};

struct Rsa {
  Rsa() { mbedtls_rsa_init(&context, MBEDTLS_RSA_PKCS_V15, 0); }
  ~Rsa() { mbedtls_rsa_free(&context); }
  Rsa(Rsa const&) = delete;
  Rsa& operator=(Rsa const&) = delete;
  mbedtls_rsa_context context;
};

struct EcGroup {
  EcGroup() {
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&point);
  }
  ~EcGroup() {
    mbedtls_ecp_point_free(&point);
    mbedtls_ecp_group_free(&group);
  }
  EcGroup(EcGroup const&) = delete;
  EcGroup& operator=(EcGroup const&) = delete;
  mbedtls_ecp_group group;
  mbedtls_ecp_point point;
};

struct Digest {
  mbedtls_md_type_t type = MBEDTLS_MD_NONE;
  std::array<std::uint8_t, MBEDTLS_MD_MAX_SIZE> bytes{};
  std::size_t size = 0;
};

mbedtls_md_type_t hash_of(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::rsa_pkcs1_sha256:
    case SignatureScheme::rsa_pss_sha256:
    case SignatureScheme::ecdsa_sha256:
      return MBEDTLS_MD_SHA256;
    case SignatureScheme::rsa_pkcs1_sha384:
    case SignatureScheme::rsa_pss_sha384:
    case SignatureScheme::ecdsa_sha384:
      return MBEDTLS_MD_SHA384;
    case SignatureScheme::rsa_pkcs1_sha512:
    case SignatureScheme::rsa_pss_sha512:
    case SignatureScheme::ecdsa_sha512:
      return MBEDTLS_MD_SHA512;
    case SignatureScheme::ed25519:
    case SignatureScheme::other:
      break;
  }
  return MBEDTLS_MD_NONE;
}

bool digest_of(ByteView message, mbedtls_md_type_t type, Digest& out) {
  mbedtls_md_info_t const* const info = mbedtls_md_info_from_type(type);
  if (info == nullptr) return false;
  out.type = type;
  out.size = mbedtls_md_get_size(info);
  return mbedtls_md(info, message.data(), message.size(), out.bytes.data()) == 0;
}

// A positive INTEGER without its sign byte; empty when it is zero or negative.
ByteView magnitude(std::optional<ByteView> integer) {
  if (!integer || (integer->front() & 0x80) != 0) return {};
  return integer->front() == 0 ? integer->subspan(1) : *integer;
}

// RSAPublicKey (RFC 8017 §A.1.1) within the bounds above.
bool load_rsa_key(ByteView key, Rsa& out) {
  DerReader outer(key);
  auto const contents = outer.read_contents(der::sequence);
  if (!contents || !outer.at_end()) return false;
  DerReader fields(*contents);
  ByteView const modulus = magnitude(fields.read_integer());
  ByteView const exponent = magnitude(fields.read_integer());
  if (!fields.at_end() || modulus.empty() || exponent.empty() ||
      modulus.size() > modulus_bits_max / 8 || exponent.size() > exponent_size_max) {
    return false;
  }
  return mbedtls_rsa_import_raw(&out.context, modulus.data(), modulus.size(), nullptr, 0, nullptr,
                                0, nullptr, 0, exponent.data(), exponent.size()) == 0 &&
         mbedtls_rsa_complete(&out.context) == 0 &&
         mbedtls_mpi_bitlen(&out.context.N) >= modulus_bits_min &&
         mbedtls_rsa_check_pubkey(&out.context) == 0;
}

SignatureCheck verify_rsa(Certificate const& certificate, PublicKeyInfo const& issuer,
                          bool is_pss) {
  Rsa rsa;
  Digest digest;
  if (!load_rsa_key(issuer.key, rsa) ||
      !digest_of(certificate.tbs, hash_of(certificate.signature_scheme), digest)) {
    return SignatureCheck::unsupported;
  }
  ByteView const signature = certificate.signature;
  if (signature.size() != mbedtls_rsa_get_len(&rsa.context)) return SignatureCheck::invalid;
  auto const size = static_cast<unsigned>(digest.size);
  int const status =
      is_pss
          ? mbedtls_rsa_rsassa_pss_verify_ext(&rsa.context, nullptr, nullptr, MBEDTLS_RSA_PUBLIC,
                                              digest.type, size, digest.bytes.data(), digest.type,
                                              static_cast<int>(digest.size), signature.data())
          : mbedtls_rsa_rsassa_pkcs1_v15_verify(&rsa.context, nullptr, nullptr, MBEDTLS_RSA_PUBLIC,
                                                digest.type, size, digest.bytes.data(),
                                                signature.data());
  return status == 0 ? SignatureCheck::valid : SignatureCheck::invalid;
}

mbedtls_ecp_group_id curve_of(KeyAlgorithm algorithm) {
  if (algorithm == KeyAlgorithm::ec_p256) return MBEDTLS_ECP_DP_SECP256R1;
  if (algorithm == KeyAlgorithm::ec_p384) return MBEDTLS_ECP_DP_SECP384R1;
  if (algorithm == KeyAlgorithm::ec_p521) return MBEDTLS_ECP_DP_SECP521R1;
  return MBEDTLS_ECP_DP_NONE;
}

SignatureCheck verify_ecdsa(Certificate const& certificate, PublicKeyInfo const& issuer) {
  EcGroup ec;
  Digest digest;
  if (mbedtls_ecp_group_load(&ec.group, curve_of(issuer.algorithm)) != 0 ||
      mbedtls_ecp_point_read_binary(&ec.group, &ec.point, issuer.key.data(), issuer.key.size()) !=
          0 ||
      mbedtls_ecp_check_pubkey(&ec.group, &ec.point) != 0 ||
      !digest_of(certificate.tbs, hash_of(certificate.signature_scheme), digest)) {
    return SignatureCheck::unsupported;
  }
  // Ecdsa-Sig-Value (RFC 3279 §2.2.3).
  DerReader outer(certificate.signature);
  auto const contents = outer.read_contents(der::sequence);
  if (!contents || !outer.at_end()) return SignatureCheck::invalid;
  DerReader fields(*contents);
  ByteView const r_bytes = magnitude(fields.read_integer());
  ByteView const s_bytes = magnitude(fields.read_integer());
  constexpr std::size_t scalar_size_max = 66;  // P-521
  if (!fields.at_end() || r_bytes.size() > scalar_size_max || s_bytes.size() > scalar_size_max) {
    return SignatureCheck::invalid;
  }
  BigNumber r;
  BigNumber s;
  // mbedTLS refuses zero and what is not below the order.
  bool const is_valid = r.assign(r_bytes) && s.assign(s_bytes) &&
                        mbedtls_ecdsa_verify(&ec.group, digest.bytes.data(), digest.size, &ec.point,
                                             r.get(), s.get()) == 0;
  return is_valid ? SignatureCheck::valid : SignatureCheck::invalid;
}

SignatureCheck verify_ed25519(Certificate const& certificate, PublicKeyInfo const& issuer) {
  auto const key = issuer.ed25519_key();
  auto const signature = crypto::Signature::from(certificate.signature);
  if (!key) return SignatureCheck::invalid;
  return signature && crypto::verify(*key, *signature, certificate.tbs) ? SignatureCheck::valid
                                                                        : SignatureCheck::invalid;
}

}  // namespace

SignatureCheck verify_signature(Certificate const& certificate, PublicKeyInfo const& issuer) {
  bool const is_ec_key = curve_of(issuer.algorithm) != MBEDTLS_ECP_DP_NONE;
  switch (certificate.signature_scheme) {
    case SignatureScheme::rsa_pkcs1_sha256:
    case SignatureScheme::rsa_pkcs1_sha384:
    case SignatureScheme::rsa_pkcs1_sha512:
      if (issuer.algorithm != KeyAlgorithm::rsa) return SignatureCheck::invalid;
      return verify_rsa(certificate, issuer, false);
    case SignatureScheme::rsa_pss_sha256:
    case SignatureScheme::rsa_pss_sha384:
    case SignatureScheme::rsa_pss_sha512:
      if (issuer.algorithm != KeyAlgorithm::rsa && issuer.algorithm != KeyAlgorithm::rsa_pss) {
        return SignatureCheck::invalid;
      }
      return verify_rsa(certificate, issuer, true);
    case SignatureScheme::ecdsa_sha256:
    case SignatureScheme::ecdsa_sha384:
    case SignatureScheme::ecdsa_sha512:
      return is_ec_key ? verify_ecdsa(certificate, issuer) : SignatureCheck::invalid;
    case SignatureScheme::ed25519:
      return verify_ed25519(certificate, issuer);
    case SignatureScheme::other:
      break;
  }
  return SignatureCheck::unsupported;
}

}  // namespace dotkey::pin
