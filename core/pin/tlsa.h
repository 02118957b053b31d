// SPDX-License-Identifier: Apache-2.0
// TLSA records (RFC 6698, RFC 7671) as pins: which of them count, and what they match.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/pin/certificate.h"
#include "core/wire/dns_record.h"

namespace dotkey::pin {

inline constexpr std::size_t tlsa_records_max = 32;
// Of association data that is a whole certificate or key (matching type 0).
inline constexpr std::size_t full_association_size_max = 4096;

// The numbers of RFC 7218.
namespace usage {
inline constexpr std::uint8_t dane_ta = 2;
inline constexpr std::uint8_t dane_ee = 3;
}  // namespace usage
namespace selector {
inline constexpr std::uint8_t certificate = 0;
inline constexpr std::uint8_t public_key = 1;
}  // namespace selector
namespace matching {
inline constexpr std::uint8_t full = 0;
inline constexpr std::uint8_t sha256 = 1;
inline constexpr std::uint8_t sha512 = 2;
}  // namespace matching

// Rdata of type TLSA. Any numbers may stand there: a peer wrote them.
using TlsaRecord = wire::dns::Tlsa;

// The "3 1 1" record for this certificate: its key, so that it outlives renewals that keep the key.
// Errors: certificate_malformed.
base::Result<TlsaRecord> tlsa_for(base::ByteView certificate_der);

// False for usages 0 and 1, unknown numbers, and association data that cannot match anything: a
// digest of the wrong length, no certificate or key where a whole one must stand.
bool is_usable(TlsaRecord const& record);

// Indices of the records that count, in their order: the usable ones, and of their digests, for
// each usage and selector, the strongest kind alone (RFC 7671 §9). Matching type 0 always counts.
std::vector<std::size_t> select_records(std::span<TlsaRecord const> records);

// Compares selector and matching alone; the caller looks at the usage. False for unusable records.
bool matches(TlsaRecord const& record, Certificate const& certificate);

}  // namespace dotkey::pin
