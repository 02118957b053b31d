// SPDX-License-Identifier: Apache-2.0
// What is decided about a site's certificate: a closed list. Three verdicts allow, all others deny.
#pragma once

#include <cstdint>
#include <string_view>

namespace dotkey::pin {

// clang-format off
// X(enumerator, slug, cause and what to publish or mend)
#define DOTKEY_PIN_VERDICTS(X)                                                                     \
  X(allow_by_tlsa_ee,       "pin.allow_by_tlsa_ee",       "The certificate is the one that the key's TLSA record names.") \
  X(allow_by_tlsa_ta,       "pin.allow_by_tlsa_ta",       "The certificate was issued by the authority that the key's TLSA record names.") \
  X(allow_by_key,           "pin.allow_by_key",           "The certificate carries the site's own public key.") \
  X(no_certificate,         "pin.no_certificate",         "The server sent no certificate; set one up with `dotkey cert new`.") \
  X(certificate_malformed,  "pin.certificate_malformed",  "A certificate of the server is not well-formed DER; make a new one with `dotkey cert new`.") \
  X(no_records,             "pin.no_records",             "The key publishes no TLSA record for this port; publish the line that `dotkey tlsa HOST:PORT` prints.") \
  X(too_many_records,       "pin.too_many_records",       "The key publishes more than 32 TLSA records for this port; publish the current pin and the next one only.") \
  X(unusable_records,       "pin.unusable_records",       "None of the TLSA records can be used; publish one with usage 3, selector 1, matching type 1, as `dotkey tlsa HOST:PORT` prints it.") \
  X(mismatch,               "pin.mismatch",               "The certificate is not the pinned one; if you run the site and changed its key, publish the line that `dotkey tlsa HOST:PORT` prints.") \
  X(name_mismatch,          "pin.name_mismatch",          "The certificate does not name this host as a DNS name in its subjectAltName; make one that does with `dotkey cert new`.") \
  X(anchor_is_leaf,         "pin.anchor_is_leaf",         "The TLSA record names the site's own certificate as an authority; publish it with usage 3 in place of 2.") \
  X(chain_incomplete,       "pin.chain_incomplete",       "The server did not send the certificates up to the pinned authority; configure it to send the whole chain, the authority included.") \
  X(chain_too_long,         "pin.chain_too_long",         "The server sent more than 8 certificates, or its chain has more than 6 or too many branches; send only those that are needed.") \
  X(chain_signature_invalid,"pin.chain_signature_invalid","A certificate in the chain was not signed by the one that it names as issuer; send the chain that belongs to the certificate.") \
  X(algorithm_unsupported,  "pin.algorithm_unsupported",  "A certificate in the chain is signed with an algorithm or key that is not accepted; use SHA-256 with RSA of 2,048 bits or more, P-256, P-384, P-521 or Ed25519.") \
  X(issuer_not_ca,          "pin.issuer_not_ca",          "A certificate in the chain may not issue others (basicConstraints, pathLenConstraint or keyUsage); have it issued as a CA, or publish the site's certificate with usage 3.") \
  X(name_constrained,       "pin.name_constrained",       "An authority in the chain is not permitted to issue for the names of this certificate, or there are too many to tell; use another, or publish the site's certificate with usage 3.") \
  X(not_for_servers,        "pin.not_for_servers",        "A certificate in the chain is not meant for TLS servers (extendedKeyUsage lacks serverAuth); have it issued for them.") \
  X(critical_extension,     "pin.critical_extension",     "A certificate in the chain has a critical extension that is not understood; have it issued without.") \
  X(expired,                "pin.expired",                "A certificate in the chain has expired; renew it, and check this computer's clock.") \
  X(not_yet_valid,          "pin.not_yet_valid",          "A certificate in the chain is not valid yet; check the clocks of this computer and of the server.")
// clang-format on

enum class Verdict : std::uint8_t {
#define DOTKEY_ENUMERATOR(name, slug, advice) name,
  DOTKEY_PIN_VERDICTS(DOTKEY_ENUMERATOR)
#undef DOTKEY_ENUMERATOR
};

inline constexpr Verdict all_verdicts[] = {
#define DOTKEY_ENUMERATOR(name, slug, advice) Verdict::name,
    DOTKEY_PIN_VERDICTS(DOTKEY_ENUMERATOR)
#undef DOTKEY_ENUMERATOR
};

// The only way from a verdict to showing a page. A number that is no verdict is not allowed.
bool is_allowed(Verdict verdict);

// "pin.mismatch": stable over releases.
std::string_view slug_of(Verdict verdict);

// One sentence: cause, and what to publish or mend.
std::string_view advice_for(Verdict verdict);

}  // namespace dotkey::pin
