// SPDX-License-Identifier: Apache-2.0
// Hostile records and chains: an allowed page has a reason that can be checked without decide().
// Input: records as [usage selector matching size:u8 data], 0xff, certificates as [size:u16 DER].
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/base/integers.h"
#include "core/crypto/hash.h"
#include "core/pin/host_name.h"
#include "core/pin/pin.h"

namespace {

using dotkey::base::Bytes;
using dotkey::base::ByteView;
using dotkey::base::to_bytes;
using namespace dotkey::pin;

ByteView take(ByteView& rest, std::size_t size) {
  auto const part = rest.first(std::min(size, rest.size()));
  rest = rest.subspan(part.size());
  return part;
}

std::vector<TlsaRecord> take_records(ByteView& rest) {
  std::vector<TlsaRecord> out;
  while (rest.size() >= 4 && rest[0] != 0xff) {
    auto const head = take(rest, 4);
    out.push_back({head[0], head[1], head[2], to_bytes(take(rest, head[3]))});
  }
  if (!rest.empty()) take(rest, 1);
  return out;
}

std::vector<Bytes> take_chain(ByteView& rest) {
  std::vector<Bytes> out;
  while (rest.size() >= 2) {
    auto const size = dotkey::base::read_be<std::uint16_t>(take(rest, 2));
    out.push_back(to_bytes(take(rest, size)));
  }
  return out;
}

bool hash_agrees(TlsaRecord const& record, ByteView selected) {
  if (record.matching_type == 0) return dotkey::base::equal(record.data, selected);
  if (record.matching_type == 1) return record.data == to_bytes(dotkey::crypto::sha256({selected}));
  return record.data == to_bytes(dotkey::crypto::sha512({selected}));
}

void check_allowed(Question const& question, Decision const& decision) {
  auto const leaf = parse_certificate(question.chain.front());
  DOTKEY_ASSERT(leaf);
  if (decision.verdict == Verdict::allow_by_key) {
    DOTKEY_ASSERT(leaf->public_key.ed25519_key() == question.endpoint_keys[0]);
    return;
  }
  DOTKEY_ASSERT(decision.record_index && *decision.record_index < question.records.size());
  DOTKEY_ASSERT(names_host(*leaf, question.hosts[0]));
  auto const& record = question.records[*decision.record_index];
  bool const is_ee = decision.verdict == Verdict::allow_by_tlsa_ee;
  DOTKEY_ASSERT(record.usage == (is_ee ? 3 : 2) && record.selector <= 1 &&
                record.matching_type <= 2);
  bool is_matched = !is_ee && record.matching_type == 0;
  for (std::size_t i = is_ee ? 0 : 1; i < (is_ee ? 1 : question.chain.size()); ++i) {
    auto const certificate = parse_certificate(question.chain[i]);
    if (!certificate) continue;
    is_matched =
        is_matched ||
        hash_agrees(record, record.selector == 0 ? certificate->der : certificate->public_key.der);
  }
  DOTKEY_ASSERT(is_matched);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  ByteView rest(data, size);
  std::vector<std::string> const hosts{"www.example.com"};
  std::vector<dotkey::crypto::PublicKey> const keys(1);
  auto const records = take_records(rest);
  auto const chain = take_chain(rest);
  Question const question{hosts, keys, records, chain, 1767225600};
  auto const decision = decide(question);
  DOTKEY_ASSERT(slug_of(decision.verdict).starts_with("pin."));
  if (is_allowed(decision.verdict)) check_allowed(question, decision);
  // Without records and keys nothing is allowed.
  DOTKEY_ASSERT(!is_allowed(decide({hosts, {}, {}, chain, 1767225600}).verdict));
  return 0;
}
