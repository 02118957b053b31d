// SPDX-License-Identifier: Apache-2.0
// Decisions on pins, against vectors whose hashes and chains OpenSSL has judged.
#include "core/pin/pin.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/integers.h"
#include "core/base/text.h"

#include "tests/support/json.h"

namespace dotkey::pin {
namespace {

using base::Bytes;
using boost::json::value;

Bytes bytes_of(std::string const& hex) {
  return base::parse_hex(hex).value();
}

// "3 1 1 9f86…" as the vectors write it.
TlsaRecord parse_record(std::string const& text) {
  std::vector<std::string> words;
  std::size_t start = 0;
  for (int i = 0; i < 3; ++i) {
    auto const space = text.find(' ', start);
    words.push_back(text.substr(start, space - start));
    start = space + 1;
  }
  auto const number = [&](std::size_t i) { return *base::parse_decimal<std::uint8_t>(words[i]); };
  return {number(0), number(1), number(2), bytes_of(text.substr(start))};
}

std::map<std::string, Bytes> const& certificates() {
  static auto const all = [] {
    std::map<std::string, Bytes> out;
    auto const facts = test::load_vectors("certificates/facts.json");
    for (char const* list : {"certificates", "malformed"}) {
      for (auto const& item : facts.at(list).as_array()) {
        out[test::text_at(item, "name")] = test::hex_at(item, "der");
      }
    }
    return out;
  }();
  return all;
}

// Owns what a Question looks at.
struct Case {
  std::string name;
  std::vector<std::string> hosts;
  std::vector<crypto::PublicKey> keys;
  std::vector<TlsaRecord> records;
  std::vector<Bytes> chain;
  std::int64_t now_s = 0;
  std::string verdict;
  std::optional<std::size_t> record_index;

  [[nodiscard]] Question question() const { return {hosts, keys, records, chain, now_s}; }
};

std::vector<Case> cases() {
  auto const file = test::load_vectors("certificates/decisions.json");
  std::vector<Case> out;
  for (auto const& item : file.at("cases").as_array()) {
    Case c;
    c.name = test::text_at(item, "name");
    c.now_s = file.at("now_s").to_number<std::int64_t>();
    c.verdict = test::text_at(item, "verdict");
    for (auto const& host : item.at("hosts").as_array()) c.hosts.emplace_back(host.as_string());
    for (auto const& key : item.at("keys").as_array()) {
      c.keys.push_back(*crypto::PublicKey::from(bytes_of(std::string(key.as_string()))));
    }
    for (auto const& record : item.at("records").as_array()) {
      c.records.push_back(parse_record(std::string(record.as_string())));
    }
    for (auto const& name : item.at("chain").as_array()) {
      c.chain.push_back(certificates().at(std::string(name.as_string())));
    }
    if (!item.at("record").is_null()) {
      c.record_index = item.at("record").to_number<std::size_t>();
    }
    out.push_back(std::move(c));
  }
  return out;
}

Case case_named(std::string const& name) {
  for (auto& c : cases()) {
    if (c.name == name) return c;
  }
  ADD_FAILURE() << "no case " << name;
  return {};
}

TEST(pin, every_vector_gets_its_verdict) {
  auto const all = cases();
  ASSERT_GT(all.size(), 130U);
  for (auto const& c : all) {
    auto const decision = decide(c.question());
    EXPECT_EQ(slug_of(decision.verdict), c.verdict) << c.name;
    EXPECT_EQ(decision.record_index, c.record_index) << c.name;
  }
}

TEST(pin, the_vectors_reach_every_verdict) {
  std::set<std::string> reached;
  for (auto const& c : cases()) reached.insert(c.verdict);
  for (auto const verdict : all_verdicts) {
    EXPECT_TRUE(reached.contains(std::string(slug_of(verdict)))) << slug_of(verdict);
  }
}

TEST(pin, exactly_the_three_allow_verdicts_allow) {
  std::set<std::string_view> slugs;
  for (auto const verdict : all_verdicts) {
    auto const slug = slug_of(verdict);
    EXPECT_EQ(is_allowed(verdict), slug.starts_with("pin.allow_by_")) << slug;
    EXPECT_TRUE(slugs.insert(slug).second) << slug;
    EXPECT_TRUE(advice_for(verdict).ends_with('.')) << slug;
  }
  EXPECT_FALSE(is_allowed(static_cast<Verdict>(255)));
  EXPECT_FALSE(is_allowed(Decision{}.verdict));
}

TEST(pin, any_changed_bit_of_a_digest_denies) {
  auto c = case_named("3 1 1 of a key of kind p256");
  for (std::size_t bit = 0; bit < 256; ++bit) {
    c.records[0].data[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_EQ(decide(c.question()).verdict, Verdict::mismatch) << bit;
    c.records[0].data[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  }
}

// A chain holds together by its signatures: no byte of any certificate in it is free to change.
TEST(pin, any_changed_byte_in_a_chain_denies) {
  auto c = case_named("one intermediate");
  for (std::size_t i = 0; i < c.chain.size(); ++i) {
    // The anchor is pinned by its key alone, and its own signature is not looked at.
    auto const anchor = parse_certificate(c.chain[2]).value();
    bool const is_anchor = i == 2;
    std::size_t const size = is_anchor ? anchor.tbs.size() : c.chain[i].size();
    for (std::size_t at = 0; at < size; at += 3) {
      auto const original = c.chain[i][at];
      c.chain[i][at] ^= 0x04;
      auto const decision = decide(c.question());
      auto const changed = parse_certificate(c.chain[i]);
      bool const key_is_same =
          changed && base::equal(changed->public_key.der, anchor.public_key.der);
      if (is_anchor && key_is_same) {
        EXPECT_NE(decision.verdict, Verdict::allow_by_tlsa_ee);
      } else {
        EXPECT_FALSE(is_allowed(decision.verdict)) << i << " " << at;
      }
      c.chain[i][at] = original;
    }
  }
  EXPECT_EQ(decide(c.question()).verdict, Verdict::allow_by_tlsa_ta);
}

TEST(pin, validity_holds_to_the_second) {
  auto c = case_named("2 1 1");
  auto const leaf = parse_certificate(c.chain[0]).value();
  auto const verdict_at = [&](std::int64_t now_s) {
    c.now_s = now_s;
    return decide(c.question()).verdict;
  };
  EXPECT_EQ(verdict_at(leaf.not_before_s - 1), Verdict::not_yet_valid);
  EXPECT_EQ(verdict_at(leaf.not_before_s), Verdict::allow_by_tlsa_ta);
  EXPECT_EQ(verdict_at(leaf.not_after_s), Verdict::allow_by_tlsa_ta);
  EXPECT_EQ(verdict_at(leaf.not_after_s + 1), Verdict::expired);
}

TEST(pin, certificates_of_one_name_and_key_end_in_a_bounded_search) {
  // CAs of one name and key that differ in their serials: each could have issued each.
  auto c = case_named("2 1 0 of another key");
  Bytes const ca = certificates().at("ca");
  auto const serial = parse_certificate(ca).value().serial;
  auto const at = static_cast<std::size_t>(serial.data() - ca.data());
  for (std::uint8_t i = 0; i < 7; ++i) {
    c.chain.push_back(ca);
    c.chain.back()[at + 3] = i;
  }
  EXPECT_EQ(decide(c.question()).verdict, Verdict::chain_signature_invalid);
  // The real one among them is still found.
  c.chain.back() = ca;
  c.records = case_named("2 0 1").records;
  EXPECT_EQ(decide(c.question()).verdict, Verdict::allow_by_tlsa_ta);
}

TEST(pin, a_decision_carries_the_facts_that_people_are_shown) {
  auto const c = case_named("3 1 1 of a key of kind rsa");
  auto const decision = decide(c.question());
  EXPECT_EQ(base::to_bytes(decision.spki_sha256), c.records[0].data);
  EXPECT_EQ(name_of(decision.key_algorithm), "RSA");
  EXPECT_EQ(decision.not_before_s, 1704067200);  // 2024-01-01
  EXPECT_EQ(decision.not_after_s, 2019686400);   // 2034-01-01
}

TEST(tlsa, the_record_for_a_certificate_pins_it) {
  auto c = case_named("3 1 1 of a key of kind ed448");
  auto const record = tlsa_for(c.chain[0]).value();
  EXPECT_EQ(record, c.records[0]);
  EXPECT_FALSE(tlsa_for(certificates().at("truncated")));
}

}  // namespace
}  // namespace dotkey::pin
