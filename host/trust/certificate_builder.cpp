// SPDX-License-Identifier: Apache-2.0
#include "host/trust/certificate_builder.h"

#include <algorithm>
#include <ctime>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "core/base/assert.h"

namespace dotkey::host::trust {
namespace {

using engine::UnixTime;

using NamePtr = std::unique_ptr<X509_NAME, FreeWith<&X509_NAME_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<&X509_EXTENSION_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, FreeWith<&BN_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, FreeWith<&GENERAL_NAMES_free>>;

// RFC 5280 §4.1.2.2: positive, at most 20 octets, and unpredictable: 16 random bytes whose first
// two bits are 01 always have the same size.
void set_random_serial(X509* certificate) {
  unsigned char bytes[16];
  DOTKEY_ASSERT(RAND_bytes(bytes, sizeof bytes) == 1);
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x3f) | 0x40);
  BignumPtr const number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  DOTKEY_ASSERT(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)));
}

std::time_t seconds_of(UnixTime time) {
  return static_cast<std::time_t>(time.us / 1'000'000);
}

void set_validity(X509* certificate, Validity validity) {
  DOTKEY_ASSERT(ASN1_TIME_set(X509_getm_notBefore(certificate), seconds_of(validity.not_before)) &&
                ASN1_TIME_set(X509_getm_notAfter(certificate), seconds_of(validity.not_after)));
}

NamePtr make_name(std::string const& common_name) {
  NamePtr name(X509_NAME_new());
  auto const add = [&name](char const* field, std::string const& text) {
    return X509_NAME_add_entry_by_txt(name.get(), field, MBSTRING_UTF8,
                                      reinterpret_cast<unsigned char const*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0);
  };
  DOTKEY_ASSERT(name && add("O", "dotkey") && add("CN", common_name));
  return name;
}

void add_extension(X509* certificate, X509* issuer, int nid, char const* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  ExtensionPtr const extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  DOTKEY_ASSERT(extension && X509_add_ext(certificate, extension.get(), -1));
}

// Not through OpenSSL's configuration language: the host comes from outside.
void add_subject_name(X509* certificate, std::string const& host) {
  GeneralNamesPtr names(GENERAL_NAMES_new());
  GENERAL_NAME* const name = GENERAL_NAME_new();
  ASN1_IA5STRING* const text = ASN1_IA5STRING_new();
  DOTKEY_ASSERT(names && name != nullptr && text != nullptr &&
                ASN1_STRING_set(text, host.data(), static_cast<int>(host.size())));
  GENERAL_NAME_set0_value(name, GEN_DNS, text);
  DOTKEY_ASSERT(sk_GENERAL_NAME_push(names.get(), name) > 0);
  DOTKEY_ASSERT(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) == 1);
}

X509Ptr start_certificate(EVP_PKEY* key, Validity validity) {
  X509Ptr certificate(X509_new());
  DOTKEY_ASSERT(certificate && X509_set_version(certificate.get(), X509_VERSION_3) &&
                X509_set_pubkey(certificate.get(), key));
  set_random_serial(certificate.get());
  set_validity(certificate.get(), validity);
  return certificate;
}

UnixTime time_of(ASN1_TIME const* time) {
  std::tm parts{};
  DOTKEY_ASSERT(ASN1_TIME_to_tm(time, &parts) == 1);
  return {static_cast<std::int64_t>(timegm(&parts)) * 1'000'000};
}

}  // namespace

PrivateKeyPtr make_p256_key() {
  PrivateKeyPtr key(EVP_EC_gen("P-256"));
  DOTKEY_ASSERT(key);
  return key;
}

X509Ptr make_root(EVP_PKEY* key, std::string const& common_name, Validity validity) {
  X509Ptr root = start_certificate(key, validity);
  NamePtr const name = make_name(common_name);
  DOTKEY_ASSERT(X509_set_subject_name(root.get(), name.get()) &&
                X509_set_issuer_name(root.get(), name.get()));
  add_extension(root.get(), root.get(), NID_subject_key_identifier, "hash");
  add_extension(root.get(), root.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(root.get(), root.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(root.get(), root.get(), NID_ext_key_usage, "serverAuth");
  // `key`, not `.key`: RFC 5280's form, the same in Chromium, Firefox and OpenSSL.
  add_extension(root.get(), root.get(), NID_name_constraints,
                "critical,permitted;DNS:key,excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::");
  DOTKEY_ASSERT(X509_sign(root.get(), key, EVP_sha256()) > 0);
  return root;
}

X509Ptr make_leaf(EVP_PKEY* key, std::string const& host, X509* root, EVP_PKEY* root_key,
                  Validity validity) {
  validity.not_after = std::min(validity.not_after, not_after_of(root));
  X509Ptr leaf = start_certificate(key, validity);
  // Clients read subjectAltName; a host name can be longer than the 64 bytes of a common name.
  NamePtr const name = make_name("verified by its published key");
  DOTKEY_ASSERT(X509_set_subject_name(leaf.get(), name.get()) &&
                X509_set_issuer_name(leaf.get(), X509_get_subject_name(root)));
  add_extension(leaf.get(), root, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(leaf.get(), root, NID_key_usage, "critical,digitalSignature");
  add_extension(leaf.get(), root, NID_ext_key_usage, "serverAuth");
  add_extension(leaf.get(), root, NID_authority_key_identifier, "keyid:always");
  add_subject_name(leaf.get(), host);
  DOTKEY_ASSERT(X509_sign(leaf.get(), root_key, EVP_sha256()) > 0);
  return leaf;
}

UnixTime not_before_of(X509 const* certificate) {
  return time_of(X509_get0_notBefore(certificate));
}

UnixTime not_after_of(X509 const* certificate) {
  return time_of(X509_get0_notAfter(certificate));
}

}  // namespace dotkey::host::trust
