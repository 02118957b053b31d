// SPDX-License-Identifier: Apache-2.0
#include "core/pin/certificate.h"

#include "core/pin/der.h"
#include "core/pin/extensions.h"

namespace dotkey::pin {
namespace {

using base::ByteView;
using base::ErrorCode;

base::Failure malformed(char const* field) {
  return base::fail(ErrorCode::certificate_malformed, field);
}

// Object identifiers, without tag and length.
constexpr std::uint8_t oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
constexpr std::uint8_t oid_rsa_pss[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
constexpr std::uint8_t oid_rsa_sha256[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b};
constexpr std::uint8_t oid_rsa_sha384[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c};
constexpr std::uint8_t oid_rsa_sha512[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d};
constexpr std::uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
constexpr std::uint8_t oid_ecdsa_sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
constexpr std::uint8_t oid_ecdsa_sha384[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
constexpr std::uint8_t oid_ecdsa_sha512[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04};
constexpr std::uint8_t oid_ed25519[] = {0x2b, 0x65, 0x70};
constexpr std::uint8_t oid_ed448[] = {0x2b, 0x65, 0x71};

// Parameters, with tag and length.
constexpr std::uint8_t null_parameters[] = {0x05, 0x00};
constexpr std::uint8_t curve_p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr std::uint8_t curve_p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
constexpr std::uint8_t curve_p521[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};

struct Algorithm {
  ByteView raw;
  ByteView oid;
  ByteView parameters;  // one element, or empty when absent
};

std::optional<Algorithm> read_algorithm(DerReader& reader) {
  auto const element = reader.read(der::sequence);
  if (!element) return std::nullopt;
  DerReader fields(element->contents);
  auto const oid = fields.read_contents(der::oid);
  if (!oid || oid->empty()) return std::nullopt;
  if (fields.at_end()) return Algorithm{element->raw, *oid, {}};
  auto const parameters = fields.read_any();
  if (!parameters || !fields.at_end()) return std::nullopt;
  return Algorithm{element->raw, *oid, parameters->raw};
}

KeyAlgorithm key_algorithm_of(Algorithm const& algorithm, ByteView key) {
  if (base::equal(algorithm.oid, oid_rsa)) return KeyAlgorithm::rsa;
  if (base::equal(algorithm.oid, oid_rsa_pss)) return KeyAlgorithm::rsa_pss;
  if (base::equal(algorithm.oid, oid_ec)) {
    if (base::equal(algorithm.parameters, curve_p256)) return KeyAlgorithm::ec_p256;
    if (base::equal(algorithm.parameters, curve_p384)) return KeyAlgorithm::ec_p384;
    if (base::equal(algorithm.parameters, curve_p521)) return KeyAlgorithm::ec_p521;
    return KeyAlgorithm::other;
  }
  // RFC 8410 §3: the parameters are absent.
  if (!algorithm.parameters.empty()) return KeyAlgorithm::other;
  if (base::equal(algorithm.oid, oid_ed25519) && key.size() == 32) return KeyAlgorithm::ed25519;
  if (base::equal(algorithm.oid, oid_ed448) && key.size() == 57) return KeyAlgorithm::ed448;
  return KeyAlgorithm::other;
}

// RSASSA-PSS-params (RFC 4055 §3.1) in the one form that is in use: the same SHA-2 for message and
// MGF1, with NULL parameters, and a salt as long as the digest. `hash` is the last byte of the
// hash's identifier.
bool are_pss_parameters(ByteView der, std::uint8_t hash, std::uint8_t salt_size) {
  std::uint8_t const expected[] = {
      0x30, 0x34,                                                                         //
      0xa0, 0x0f,                                                                         // hash
      0x30, 0x0d, 0x06, 0x09, 0x60,      0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash,  //
      0x05, 0x00,                                                                         //
      0xa1, 0x1c,                                                                         // MGF1
      0x30, 0x1a, 0x06, 0x09, 0x2a,      0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08,  //
      0x30, 0x0d, 0x06, 0x09, 0x60,      0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash,  //
      0x05, 0x00,                                                                         //
      0xa2, 0x03, 0x02, 0x01, salt_size,
  };
  return base::equal(der, expected);
}

SignatureScheme signature_scheme_of(Algorithm const& algorithm) {
  ByteView const oid = algorithm.oid;
  ByteView const parameters = algorithm.parameters;
  if (base::equal(oid, oid_rsa_pss)) {
    if (are_pss_parameters(parameters, 1, 32)) return SignatureScheme::rsa_pss_sha256;
    if (are_pss_parameters(parameters, 2, 48)) return SignatureScheme::rsa_pss_sha384;
    if (are_pss_parameters(parameters, 3, 64)) return SignatureScheme::rsa_pss_sha512;
    return SignatureScheme::other;
  }
  // RFC 4055 §5: NULL is to be written and its absence to be accepted.
  if (parameters.empty() || base::equal(parameters, null_parameters)) {
    if (base::equal(oid, oid_rsa_sha256)) return SignatureScheme::rsa_pkcs1_sha256;
    if (base::equal(oid, oid_rsa_sha384)) return SignatureScheme::rsa_pkcs1_sha384;
    if (base::equal(oid, oid_rsa_sha512)) return SignatureScheme::rsa_pkcs1_sha512;
  }
  if (parameters.empty()) {
    if (base::equal(oid, oid_ecdsa_sha256)) return SignatureScheme::ecdsa_sha256;
    if (base::equal(oid, oid_ecdsa_sha384)) return SignatureScheme::ecdsa_sha384;
    if (base::equal(oid, oid_ecdsa_sha512)) return SignatureScheme::ecdsa_sha512;
    if (base::equal(oid, oid_ed25519)) return SignatureScheme::ed25519;
  }
  return SignatureScheme::other;
}

// A Name: a sequence of sets. What is in the sets is compared as bytes and never looked into.
std::optional<ByteView> read_name(DerReader& reader) {
  auto const name = reader.read(der::sequence);
  if (!name) return std::nullopt;
  DerReader sets(name->contents);
  while (!sets.at_end()) {
    auto const set = sets.read_contents(der::set);
    if (!set || set->empty()) return std::nullopt;
  }
  return name->raw;
}

bool read_validity(DerReader& reader, Certificate& out) {
  auto const validity = reader.read_contents(der::sequence);
  if (!validity) return false;
  DerReader times(*validity);
  auto const not_before = times.read_time_s();
  auto const not_after = times.read_time_s();
  if (!not_before || !not_after || !times.at_end()) return false;
  out.not_before_s = *not_before;
  out.not_after_s = *not_after;
  return true;
}

// [0] EXPLICIT INTEGER; version 1 is written by leaving it out.
bool read_version(DerReader& reader, Certificate& out) {
  if (!reader.next_is(der::context_constructed(0))) return true;
  auto const wrapped = reader.read_contents(der::context_constructed(0));
  if (!wrapped) return false;
  DerReader inner(*wrapped);
  auto const version = inner.read_small_integer();
  if (!version || !inner.at_end() || *version < 1 || *version > 2) return false;
  out.version = static_cast<std::uint8_t>(*version + 1);
  return true;
}

// RFC 5280 §4.1.2.2 allows 20 bytes; the sign is not judged, as issuers have got it wrong.
bool read_serial(DerReader& reader, Certificate& out) {
  auto const serial = reader.read_integer();
  if (!serial || serial->size() > 21 || (serial->size() == 21 && (*serial)[0] != 0)) return false;
  out.serial = *serial;
  return true;
}

std::optional<PublicKeyInfo> read_public_key_info(DerReader& reader) {
  auto const element = reader.read(der::sequence);
  if (!element) return std::nullopt;
  DerReader fields(element->contents);
  auto const algorithm = read_algorithm(fields);
  auto const key = fields.read_whole_bits();
  if (!algorithm || !key || !fields.at_end()) return std::nullopt;
  return PublicKeyInfo{element->raw, key_algorithm_of(*algorithm, *key), *key};
}

// issuerUniqueID, subjectUniqueID and extensions: what may follow the public key.
bool read_tail(DerReader& tbs, Certificate& out) {
  for (std::uint8_t number = 1; number <= 2; ++number) {
    if (!tbs.next_is(der::context(number))) continue;
    if (out.version < 2 || !tbs.read_any()) return false;
  }
  if (tbs.next_is(der::context_constructed(3))) {
    auto const wrapped = tbs.read_contents(der::context_constructed(3));
    if (out.version != 3 || !wrapped) return false;
    auto const extensions = parse_extensions(*wrapped);
    if (!extensions) return false;
    out.extensions = *extensions;
  }
  return tbs.at_end();
}

}  // namespace

std::string_view name_of(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::rsa:
      return "RSA";
    case KeyAlgorithm::rsa_pss:
      return "RSA-PSS";
    case KeyAlgorithm::ec_p256:
      return "P-256";
    case KeyAlgorithm::ec_p384:
      return "P-384";
    case KeyAlgorithm::ec_p521:
      return "P-521";
    case KeyAlgorithm::ed25519:
      return "Ed25519";
    case KeyAlgorithm::ed448:
      return "Ed448";
    case KeyAlgorithm::other:
      break;
  }
  return "unknown";
}

std::optional<crypto::PublicKey> PublicKeyInfo::ed25519_key() const {
  if (algorithm != KeyAlgorithm::ed25519) return std::nullopt;
  return crypto::PublicKey::from(key);
}

std::vector<std::string> Certificate::dns_names(std::size_t count_max) const {
  std::vector<std::string> out;
  DerReader names(extensions.subject_alt_names);
  while (!names.at_end() && out.size() < count_max) {
    auto const name = names.read_any();
    if (!name) break;
    if (name->tag == general_name::dns) out.emplace_back(base::text_of(name->contents));
  }
  return out;
}

base::Result<Certificate> parse_certificate(ByteView bytes) {
  if (bytes.size() > certificate_size_max) return malformed("longer than 32 KiB");
  DerReader outer(bytes);
  auto const whole = outer.read_contents(der::sequence);
  if (!whole || !outer.at_end()) return malformed("not one DER sequence");

  Certificate out;
  out.der = bytes;
  DerReader fields(*whole);
  auto const tbs_element = fields.read(der::sequence);
  auto const outer_algorithm = read_algorithm(fields);
  auto const signature = fields.read_whole_bits();
  if (!tbs_element || !outer_algorithm || !signature || !fields.at_end()) {
    return malformed("outer structure");
  }
  out.tbs = tbs_element->raw;
  out.signature = *signature;
  out.signature_scheme = signature_scheme_of(*outer_algorithm);

  DerReader tbs(tbs_element->contents);
  if (!read_version(tbs, out)) return malformed("version");
  if (!read_serial(tbs, out)) return malformed("serialNumber");
  auto const inner_algorithm = read_algorithm(tbs);
  // RFC 5280 §4.1.1.2: both name the same algorithm.
  if (!inner_algorithm || !base::equal(inner_algorithm->raw, outer_algorithm->raw)) {
    return malformed("signature algorithm");
  }
  auto const issuer = read_name(tbs);
  if (!issuer) return malformed("issuer");
  out.issuer = *issuer;
  if (!read_validity(tbs, out)) return malformed("validity");
  auto const subject = read_name(tbs);
  if (!subject) return malformed("subject");
  out.subject = *subject;
  auto const public_key = read_public_key_info(tbs);
  if (!public_key) return malformed("subjectPublicKeyInfo");
  out.public_key = *public_key;
  if (!read_tail(tbs, out)) return malformed("extensions");
  return out;
}

base::Result<PublicKeyInfo> parse_public_key_info(ByteView bytes) {
  DerReader reader(bytes);
  auto const info = read_public_key_info(reader);
  if (!info || !reader.at_end()) return malformed("subjectPublicKeyInfo");
  return *info;
}

}  // namespace dotkey::pin
