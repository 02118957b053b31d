// SPDX-License-Identifier: Apache-2.0
#include "core/pin/tlsa.h"

#include "core/crypto/hash.h"

namespace dotkey::pin {
namespace {

bool is_whole(TlsaRecord const& record) {
  if (record.data.size() > full_association_size_max) return false;
  if (record.selector == selector::certificate) {
    return parse_certificate(record.data).has_value();
  }
  return parse_public_key_info(record.data).has_value();
}

}  // namespace

base::Result<TlsaRecord> tlsa_for(base::ByteView certificate_der) {
  auto const certificate = parse_certificate(certificate_der);
  if (!certificate) return base::Failure(certificate.error());
  auto const digest = crypto::sha256({certificate->public_key.der});
  return TlsaRecord{usage::dane_ee, selector::public_key, matching::sha256, base::to_bytes(digest)};
}

bool is_usable(TlsaRecord const& record) {
  if (record.usage != usage::dane_ta && record.usage != usage::dane_ee) return false;
  if (record.selector != selector::certificate && record.selector != selector::public_key) {
    return false;
  }
  switch (record.matching_type) {
    case matching::full:
      return is_whole(record);
    case matching::sha256:
      return record.data.size() == 32;
    case matching::sha512:
      return record.data.size() == 64;
    default:
      return false;
  }
}

std::vector<std::size_t> select_records(std::span<TlsaRecord const> records) {
  std::vector<std::size_t> usable;
  usable.reserve(records.size());
  bool has_sha512[2][2] = {};  // by usage - 2 and selector
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto const& record = records[i];
    if (!is_usable(record)) continue;
    usable.push_back(i);
    if (record.matching_type == matching::sha512) {
      has_sha512[record.usage - usage::dane_ta][record.selector] = true;
    }
  }
  std::erase_if(usable, [&](std::size_t i) {
    auto const& record = records[i];
    return record.matching_type == matching::sha256 &&
           has_sha512[record.usage - usage::dane_ta][record.selector];
  });
  return usable;
}

bool matches(TlsaRecord const& record, Certificate const& certificate) {
  if (record.selector > selector::public_key) return false;
  base::ByteView const selected =
      record.selector == selector::certificate ? certificate.der : certificate.public_key.der;
  switch (record.matching_type) {
    case matching::full:
      return base::equal(record.data, selected);
    case matching::sha256:
      return base::equal(record.data, crypto::sha256({selected}));
    case matching::sha512:
      return base::equal(record.data, crypto::sha512({selected}));
    default:
      return false;
  }
}

}  // namespace dotkey::pin
