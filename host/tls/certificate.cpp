// SPDX-License-Identifier: Apache-2.0
#include "host/tls/certificate.h"

#include <array>
#include <ctime>
#include <memory>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "core/crypto/hash.h"
#include "core/crypto/secret.h"

namespace dotkey::host::tls {
namespace {

using base::ErrorCode;

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Release<BIO_free_all>>;
using CertificatePtr = std::unique_ptr<X509, Release<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Release<BN_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;

std::string text_of_bio(BIO* bio) {
  char* data = nullptr;
  long const size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

CertificatePtr parse_pem_or_der(base::ByteView file) {
  BioPtr const pem(BIO_new_mem_buf(file.data(), static_cast<int>(file.size())));
  CertificatePtr out(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
  if (!out) {
    unsigned char const* next = file.data();
    out.reset(d2i_X509(nullptr, &next, static_cast<long>(file.size())));
  }
  ERR_clear_error();
  return out;
}

std::string subject_of(X509* certificate) {
  BioPtr const out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  return text_of_bio(out.get());
}

bool add_extension(X509* certificate, int nid, std::string const& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  ExtensionPtr const extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate, engine::Entropy& entropy) {
  std::array<std::uint8_t, 16> serial{};
  entropy.fill(serial);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7f) | 0x40);  // positive, full length
  NumberPtr const number(BN_bin2bn(serial.data(), serial.size(), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

// A day of slack for clocks that run behind.
bool set_validity(X509* certificate, engine::UnixTime now, int days) {
  auto start = static_cast<std::time_t>(now.us / 1'000'000);
  return X509_time_adj_ex(X509_getm_notBefore(certificate), -1, 0, &start) != nullptr &&
         X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, &start) != nullptr;
}

bool fill_certificate(X509* certificate, EVP_PKEY* key, std::string const& host) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  auto const* const host_bytes = reinterpret_cast<unsigned char const*>(host.data());
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, host_bytes,
                                    static_cast<int>(host.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         add_extension(certificate, NID_subject_alt_name, "DNS:" + host + ",DNS:*." + host) &&
         add_extension(certificate, NID_subject_key_identifier, "hash");
}

}  // namespace

base::Result<CertificateFacts> read_certificate(base::ByteView file) {
  CertificatePtr const certificate = parse_pem_or_der(file);
  if (!certificate) return base::fail(ErrorCode::certificate_malformed);
  CertificateFacts out;
  auto const to_der = [](auto* object, auto encode) {
    int const size = encode(object, nullptr);
    base::Bytes der(static_cast<std::size_t>(size > 0 ? size : 0));
    unsigned char* next = der.data();
    if (size > 0) encode(object, &next);
    return der;
  };
  out.der = to_der(certificate.get(), i2d_X509);
  out.public_key_der = to_der(X509_get_X509_PUBKEY(certificate.get()), i2d_X509_PUBKEY);
  out.subject = subject_of(certificate.get());
  std::tm expiry{};
  if (out.der.empty() || out.public_key_der.empty() ||
      ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &expiry) != 1) {
    return base::fail(ErrorCode::certificate_malformed);
  }
  out.not_after.us = std::int64_t{::timegm(&expiry)} * 1'000'000;
  return out;
}

base::Result<MintedCertificate> mint_self_signed(std::string const& host, engine::UnixTime now,
                                                 int days, engine::Entropy& entropy) {
  KeyPtr const key(EVP_EC_gen("P-256"));
  CertificatePtr const certificate(X509_new());
  BioPtr const certificate_pem(BIO_new(BIO_s_mem()));
  BioPtr const key_pem(BIO_new(BIO_s_secmem()));
  bool const made = key && certificate && certificate_pem && key_pem &&
                    set_serial(certificate.get(), entropy) &&
                    set_validity(certificate.get(), now, days) &&
                    fill_certificate(certificate.get(), key.get(), host) &&
                    X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0 &&
                    PEM_write_bio_X509(certificate_pem.get(), certificate.get()) == 1 &&
                    PEM_write_bio_PKCS8PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0,
                                                  nullptr, nullptr) == 1;
  if (!made) {
    ERR_clear_error();
    return base::fail(ErrorCode::crypto_unavailable, "OpenSSL could not mint a certificate");
  }
  return MintedCertificate{text_of_bio(certificate_pem.get()), text_of_bio(key_pem.get())};
}

base::Bytes tlsa_3_1_1(CertificateFacts const& certificate) {
  auto const hash = crypto::sha256({certificate.public_key_der});
  base::Bytes out = {3, 1, 1};
  base::append(out, hash);
  return out;
}

}  // namespace dotkey::host::tls
