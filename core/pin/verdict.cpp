// SPDX-License-Identifier: Apache-2.0
#include "core/pin/verdict.h"

namespace dotkey::pin {

bool is_allowed(Verdict verdict) {
  switch (verdict) {
    case Verdict::allow_by_tlsa_ee:
    case Verdict::allow_by_tlsa_ta:
    case Verdict::allow_by_key:
      return true;
    case Verdict::no_certificate:
    case Verdict::certificate_malformed:
    case Verdict::no_records:
    case Verdict::too_many_records:
    case Verdict::unusable_records:
    case Verdict::mismatch:
    case Verdict::name_mismatch:
    case Verdict::anchor_is_leaf:
    case Verdict::chain_incomplete:
    case Verdict::chain_too_long:
    case Verdict::chain_signature_invalid:
    case Verdict::algorithm_unsupported:
    case Verdict::issuer_not_ca:
    case Verdict::name_constrained:
    case Verdict::not_for_servers:
    case Verdict::critical_extension:
    case Verdict::expired:
    case Verdict::not_yet_valid:
      return false;
  }
  return false;
}

std::string_view slug_of(Verdict verdict) {
  switch (verdict) {
#define DOTKEY_CASE(name, slug, advice) \
  case Verdict::name:                   \
    return slug;
    DOTKEY_PIN_VERDICTS(DOTKEY_CASE)
#undef DOTKEY_CASE
  }
  return "pin.unknown";
}

std::string_view advice_for(Verdict verdict) {
  switch (verdict) {
#define DOTKEY_CASE(name, slug, advice) \
  case Verdict::name:                   \
    return advice;
    DOTKEY_PIN_VERDICTS(DOTKEY_CASE)
#undef DOTKEY_CASE
  }
  return "";
}

}  // namespace dotkey::pin
