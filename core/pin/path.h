// SPDX-License-Identifier: Apache-2.0
// Finds and checks a certification path from a leaf to a pinned trust anchor (RFC 5280 §6, with
// the anchors of RFC 7671 §5.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/pin/certificate.h"
#include "core/pin/verdict.h"

namespace dotkey::pin {

inline constexpr std::size_t chain_size_max = 8;         // certificates a server may send
inline constexpr std::size_t path_depth_max = 6;         // leaf and anchor included
inline constexpr std::size_t signature_checks_max = 16;  // over all paths tried
// A constraint of a CA held against a name of what it issued. Over all paths tried.
inline constexpr std::size_t name_comparisons_max = 20'000;

// A certificate, or a bare key whose name and limits nobody states (TLSA 2 1 0).
struct Anchor {
  std::size_t record_index = 0;
  PublicKeyInfo public_key;
  Certificate const* certificate = nullptr;
};

struct PathQuestion {
  Certificate const* leaf = nullptr;
  std::span<Certificate const> others;  // in any order, needed or not
  std::span<Anchor const> anchors;
  std::int64_t now_s = 0;
};

struct PathResult {
  Verdict verdict = Verdict::chain_incomplete;
  std::size_t record_index = 0;  // of the anchor, when allowed
  std::size_t name_comparisons = 0;
};

// allow_by_tlsa_ta, or why no path holds: the first failure met, chain_incomplete without any.
PathResult find_path(PathQuestion const& question);

}  // namespace dotkey::pin
