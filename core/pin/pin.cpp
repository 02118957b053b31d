// SPDX-License-Identifier: Apache-2.0
#include "core/pin/pin.h"

#include <algorithm>
#include <vector>

#include "core/crypto/hash.h"
#include "core/pin/host_name.h"

namespace dotkey::pin {
namespace {

bool is_named(Certificate const& leaf, Question const& question) {
  return std::any_of(question.hosts.begin(), question.hosts.end(),
                     [&](std::string const& host) { return names_host(leaf, host); });
}

// The certificate names the key by carrying it, which is as good as naming `<key>.key`.
bool is_bound_to_key(Certificate const& leaf, Question const& question) {
  auto const key = leaf.public_key.ed25519_key();
  return key && std::find(question.endpoint_keys.begin(), question.endpoint_keys.end(), *key) !=
                    question.endpoint_keys.end();
}

// The certificates that came with the leaf, and the anchors among them and in the records.
class Issuers {
 public:
  Issuers(Question const& question, std::span<std::size_t const> selected) {
    for (auto const& bytes : question.chain.subspan(1)) add_sent(bytes);
    // Anchors point into both lists, which grow no more from here on.
    pinned_.reserve(selected.size());
    for (std::size_t const index : selected) {
      if (question.records[index].usage == usage::dane_ta) add_anchors(index, question);
    }
  }

  [[nodiscard]] std::span<Certificate const> sent() const { return sent_; }
  [[nodiscard]] std::span<Anchor const> anchors() const { return anchors_; }
  [[nodiscard]] bool has_malformed() const { return has_malformed_; }

 private:
  // A malformed certificate beside the leaf takes no part; a path may hold without it.
  void add_sent(base::Bytes const& bytes) {
    auto const certificate = parse_certificate(bytes);
    if (certificate) {
      sent_.push_back(*certificate);
    } else {
      has_malformed_ = true;
    }
  }

  void add_anchors(std::size_t index, Question const& question) {
    TlsaRecord const& record = question.records[index];
    for (Certificate const& certificate : sent_) {
      if (matches(record, certificate)) add(index, certificate);
    }
    if (record.matching_type != matching::full) return;
    // RFC 7671 §5.2.3: an anchor given in full need not be sent.
    if (record.selector == selector::public_key) {
      auto const key = parse_public_key_info(record.data);
      if (key) anchors_.push_back({index, *key, nullptr});
    } else if (auto const certificate = parse_certificate(record.data)) {
      pinned_.push_back(*certificate);
      add(index, pinned_.back());
    }
  }

  void add(std::size_t index, Certificate const& certificate) {
    anchors_.push_back({index, certificate.public_key, &certificate});
  }

  std::vector<Certificate> sent_;
  std::vector<Certificate> pinned_;
  std::vector<Anchor> anchors_;
  bool has_malformed_ = false;
};

// Why no certificate sent is a pinned authority.
Verdict verdict_without_anchor(Certificate const& leaf, Issuers const& issuers,
                               Question const& question, std::span<std::size_t const> selected) {
  bool has_ee = false;
  for (std::size_t const index : selected) {
    auto const& record = question.records[index];
    if (record.usage == usage::dane_ee) {
      has_ee = true;
    } else if (matches(record, leaf)) {
      return Verdict::anchor_is_leaf;
    }
  }
  if (has_ee) return Verdict::mismatch;
  if (issuers.has_malformed()) return Verdict::certificate_malformed;
  // A chain that ends in itself was sent whole, so another authority is pinned.
  auto const sent = issuers.sent();
  bool const is_whole = sent.empty() ? leaf.is_self_issued() : sent.back().is_self_issued();
  return is_whole ? Verdict::mismatch : Verdict::chain_incomplete;
}

struct Choice {
  Verdict verdict = Verdict::mismatch;
  std::optional<std::size_t> record_index;
};

Choice choose_by_anchor(Certificate const& leaf, Question const& question,
                        std::span<std::size_t const> selected) {
  Issuers const issuers(question, selected);
  if (issuers.anchors().empty()) {
    return {verdict_without_anchor(leaf, issuers, question, selected), std::nullopt};
  }
  if (!is_named(leaf, question)) return {Verdict::name_mismatch, std::nullopt};
  auto const path = find_path({&leaf, issuers.sent(), issuers.anchors(), question.now_s});
  if (path.verdict == Verdict::allow_by_tlsa_ta) return {path.verdict, path.record_index};
  if (path.verdict == Verdict::chain_incomplete && issuers.has_malformed()) {
    return {Verdict::certificate_malformed, std::nullopt};
  }
  return {path.verdict, std::nullopt};
}

Choice choose(Certificate const& leaf, Question const& question) {
  if (is_bound_to_key(leaf, question)) return {Verdict::allow_by_key, std::nullopt};
  if (question.records.empty()) return {Verdict::no_records, std::nullopt};
  if (question.records.size() > tlsa_records_max) return {Verdict::too_many_records, std::nullopt};
  auto const selected = select_records(question.records);
  if (selected.empty()) return {Verdict::unusable_records, std::nullopt};
  bool has_ta = false;
  for (std::size_t const index : selected) {
    auto const& record = question.records[index];
    if (record.usage != usage::dane_ee) {
      has_ta = true;
    } else if (matches(record, leaf)) {
      // RFC 7671 §5.1 asks for neither validity nor names here. Names are asked for all the same:
      // a stranger's key could otherwise pin this certificate and borrow its pages.
      return {is_named(leaf, question) ? Verdict::allow_by_tlsa_ee : Verdict::name_mismatch, index};
    }
  }
  return has_ta ? choose_by_anchor(leaf, question, selected) : Choice{};
}

}  // namespace

Decision decide(Question const& question) {
  Decision out;
  if (question.chain.empty()) return out;
  if (question.chain.size() > chain_size_max) {
    out.verdict = Verdict::chain_too_long;
    return out;
  }
  auto const leaf = parse_certificate(question.chain.front());
  if (!leaf) {
    out.verdict = Verdict::certificate_malformed;
    return out;
  }
  out.spki_sha256 = crypto::sha256({leaf->public_key.der});
  out.key_algorithm = leaf->public_key.algorithm;
  out.not_before_s = leaf->not_before_s;
  out.not_after_s = leaf->not_after_s;
  auto const choice = choose(*leaf, question);
  out.verdict = choice.verdict;
  out.record_index = choice.record_index;
  return out;
}

}  // namespace dotkey::pin
