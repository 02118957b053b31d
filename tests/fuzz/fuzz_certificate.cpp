// SPDX-License-Identifier: Apache-2.0
// Any bytes as a certificate: what is read lies inside them, and is read the same way twice.
#include <cstddef>
#include <cstdint>

#include "core/base/assert.h"
#include "core/base/endpoint.h"
#include "core/pin/certificate.h"
#include "core/pin/host_name.h"
#include "core/pin/name_constraints.h"
#include "core/pin/path.h"
#include "core/pin/signature.h"
#include "core/pin/tlsa.h"

namespace {

using dotkey::base::ByteView;

void check_inside(ByteView whole, ByteView part) {
  if (part.empty()) return;
  DOTKEY_ASSERT(part.data() >= whole.data());
  DOTKEY_ASSERT(part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace dotkey::pin;
  ByteView const bytes(data, size);
  auto const certificate = parse_certificate(bytes);
  if (!certificate) {
    DOTKEY_ASSERT(!tlsa_for(bytes));
    return 0;
  }
  for (ByteView const part :
       {certificate->tbs, certificate->serial, certificate->issuer, certificate->subject,
        certificate->public_key.der, certificate->public_key.key, certificate->signature,
        certificate->extensions.subject_alt_names, certificate->extensions.name_constraints}) {
    check_inside(bytes, part);
  }
  DOTKEY_ASSERT(!parse_certificate(bytes.first(size - 1)));
  auto const key = parse_public_key_info(certificate->public_key.der);
  DOTKEY_ASSERT(key && key->algorithm == certificate->public_key.algorithm);
  auto const record = tlsa_for(bytes);
  DOTKEY_ASSERT(record && is_usable(*record) && matches(*record, *certificate));
  for (auto const& name : certificate->dns_names()) {
    if (!name.starts_with('*') && matches_host(name, name)) {
      DOTKEY_ASSERT(names_host(*certificate, name) ||
                    dotkey::base::IpAddress::parse(name).has_value());
    }
  }
  std::size_t comparisons_left = name_comparisons_max;
  static_cast<void>(
      permits_names(certificate->extensions.name_constraints, *certificate, comparisons_left));
  static_cast<void>(verify_signature(*certificate, certificate->public_key));
  return 0;
}
