// SPDX-License-Identifier: Apache-2.0
#include "core/pin/path.h"

#include <array>
#include <optional>

#include "core/base/assert.h"
#include "core/pin/name_constraints.h"
#include "core/pin/signature.h"

namespace dotkey::pin {
namespace {

// What is asked of every certificate in a path, the anchor included; nullopt when it holds.
std::optional<Verdict> fault_of(Certificate const& certificate, std::int64_t now_s) {
  if (now_s < certificate.not_before_s) return Verdict::not_yet_valid;
  if (now_s > certificate.not_after_s) return Verdict::expired;
  if (certificate.extensions.has_unknown_critical) return Verdict::critical_extension;
  if (certificate.extensions.server_use == ServerUse::forbidden) return Verdict::not_for_servers;
  return std::nullopt;
}

// Depth-first from the leaf upwards. Only a valid signature leads further up, so the number of
// signature checks bounds the whole search; names and constraints have a bound of their own, since
// a certificate has room for thousands.
class PathSearch {
 public:
  explicit PathSearch(PathQuestion const& question) : question_(question) {}

  PathResult run() {
    if (auto const fault = fault_of(*question_.leaf, question_.now_s)) return {*fault, 0, 0};
    path_[0] = question_.leaf;
    size_ = 1;
    auto const anchor = extend();
    std::size_t const comparisons = name_comparisons_max - comparisons_left_;
    if (anchor) return {Verdict::allow_by_tlsa_ta, *anchor, comparisons};
    return {first_fault_.value_or(Verdict::chain_incomplete), 0, comparisons};
  }

 private:
  // The record of the anchor that the path so far leads to.
  std::optional<std::size_t> extend() {
    for (Anchor const& anchor : question_.anchors) {
      if (reaches(anchor)) return anchor.record_index;
    }
    // One place is left for the anchor.
    if (size_ + 1 >= path_depth_max) {
      note(Verdict::chain_too_long);
      return std::nullopt;
    }
    for (Certificate const& other : question_.others) {
      if (is_in_path(other) || !is_issued_by(other) || !may_issue(other)) continue;
      path_[size_++] = &other;
      auto const found = extend();
      --size_;
      if (found) return found;
    }
    return std::nullopt;
  }

  bool reaches(Anchor const& anchor) {
    if (anchor.certificate == nullptr) return is_signed_by(anchor.public_key);
    return is_issued_by(*anchor.certificate) && may_issue(*anchor.certificate);
  }

  [[nodiscard]] Certificate const& top() const { return *path_[size_ - 1]; }

  [[nodiscard]] bool is_issued_by(Certificate const& issuer) const {
    return base::equal(top().issuer, issuer.subject);
  }

  [[nodiscard]] bool is_in_path(Certificate const& certificate) const {
    for (std::size_t i = 0; i < size_; ++i) {
      if (base::equal(path_[i]->der, certificate.der)) return true;
    }
    return false;
  }

  // Everything that RFC 5280 §6.1.4 asks of `issuer` as the issuer of top(), cheapest first.
  bool may_issue(Certificate const& issuer) {
    if (auto const fault = fault_of(issuer, question_.now_s)) return note(*fault);
    Extensions const& extensions = issuer.extensions;
    bool const may_sign =
        !extensions.key_usage || (*extensions.key_usage & Extensions::key_cert_sign) != 0;
    if (!extensions.is_ca || !may_sign) return note(Verdict::issuer_not_ca);
    if (extensions.path_length_max && count_intermediates() > *extensions.path_length_max) {
      return note(Verdict::issuer_not_ca);
    }
    if (!is_signed_by(issuer.public_key)) return false;
    for (std::size_t i = 0; i < size_; ++i) {
      if (!permits_names(extensions.name_constraints, *path_[i], comparisons_left_)) {
        return note(Verdict::name_constrained);
      }
    }
    return true;
  }

  // Self-issued ones do not count towards a path length (RFC 5280 §4.2.1.9).
  [[nodiscard]] std::size_t count_intermediates() const {
    std::size_t count = 0;
    for (std::size_t i = 1; i < size_; ++i) count += path_[i]->is_self_issued() ? 0U : 1U;
    return count;
  }

  bool is_signed_by(PublicKeyInfo const& issuer) {
    if (signature_checks_ == signature_checks_max) return note(Verdict::chain_too_long);
    ++signature_checks_;
    switch (verify_signature(top(), issuer)) {
      case SignatureCheck::valid:
        return true;
      case SignatureCheck::invalid:
        return note(Verdict::chain_signature_invalid);
      case SignatureCheck::unsupported:
        break;
    }
    return note(Verdict::algorithm_unsupported);
  }

  // Remembers why a path ended; false, for returning.
  bool note(Verdict fault) {
    DOTKEY_ASSERT(!is_allowed(fault));
    if (!first_fault_) first_fault_ = fault;
    return false;
  }

  PathQuestion const& question_;
  std::array<Certificate const*, path_depth_max> path_{};
  std::size_t size_ = 0;
  std::size_t signature_checks_ = 0;
  std::size_t comparisons_left_ = name_comparisons_max;
  std::optional<Verdict> first_fault_;
};

}  // namespace

PathResult find_path(PathQuestion const& question) {
  return PathSearch(question).run();
}

}  // namespace dotkey::pin
