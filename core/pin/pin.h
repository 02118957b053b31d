// SPDX-License-Identifier: Apache-2.0
// The decision about a site: TLSA records and certificates in, one verdict out. The daemon and the
// extension (in wasm) run this same code. docs/protocol/pins.md is the normative text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/base/bytes.h"
#include "core/crypto/keys.h"
#include "core/pin/certificate.h"
#include "core/pin/path.h"
#include "core/pin/tlsa.h"
#include "core/pin/verdict.h"

namespace dotkey::pin {

// The caller has verified the packets and has seen the TLS handshake prove the leaf's key.
struct Question {
  // The certificate has to name one: the `.key` host asked for, or the ICANN host that its packet
  // led to. With or without the trailing dot.
  std::span<std::string const> hosts;
  // The key of the host asked for, and the key whose packet holds the endpoint's addresses.
  std::span<crypto::PublicKey const> endpoint_keys;
  // Everything at _<port>._tcp.<host>, usable or not.
  std::span<TlsaRecord const> records;
  // DER, the leaf first, as the server sent them.
  std::span<base::Bytes const> chain;
  // Seconds since 1970-01-01 UTC.
  std::int64_t now_s = 0;
};

struct Decision {
  Verdict verdict = Verdict::no_certificate;
  // Which of Question::records matched: with allow_by_tlsa_* always, with a denial when a usage 3
  // record matched and the name did not.
  std::optional<std::size_t> record_index;

  // Facts of the leaf, for people; all empty with no_certificate and certificate_malformed.
  // Its names: parse_certificate() and dns_names().
  std::array<std::uint8_t, 32> spki_sha256{};
  KeyAlgorithm key_algorithm = KeyAlgorithm::other;
  std::int64_t not_before_s = 0;
  std::int64_t not_after_s = 0;
};

// Total: every question has an answer, and only is_allowed(verdict) shows the page. Bounds:
// certificate_size_max, chain_size_max, tlsa_records_max, path_depth_max, signature_checks_max,
// name_comparisons_max.
Decision decide(Question const& question);

}  // namespace dotkey::pin
