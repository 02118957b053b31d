// SPDX-License-Identifier: Apache-2.0
#include "core/pin/certificate.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/crypto/hash.h"
#include "core/pin/der.h"
#include "core/pin/host_name.h"

#include "tests/support/json.h"

namespace dotkey::pin {
namespace {

using base::Bytes;

Bytes bytes_of(std::string_view hex) {
  return base::parse_hex(hex).value();
}

std::map<std::string, Bytes> load(char const* list) {
  std::map<std::string, Bytes> out;
  auto const facts = test::load_vectors("certificates/facts.json");
  for (auto const& item : facts.at(list).as_array()) {
    out[test::text_at(item, "name")] = test::hex_at(item, "der");
  }
  return out;
}

TEST(certificate, the_key_hash_agrees_with_openssl_for_every_kind_of_key) {
  auto const facts = test::load_vectors("certificates/facts.json");
  for (auto const& item : facts.at("certificates").as_array()) {
    auto const name = test::text_at(item, "name");
    auto const der = test::hex_at(item, "der");
    auto const certificate = parse_certificate(der);
    ASSERT_TRUE(certificate) << name << ": " << certificate.error().detail;
    EXPECT_EQ(base::to_bytes(crypto::sha256({certificate->public_key.der})),
              test::hex_at(item, "spki_sha256"))
        << name;
  }
}

TEST(certificate, what_is_not_strict_der_of_one_certificate_is_refused) {
  auto const malformed = load("malformed");
  ASSERT_GT(malformed.size(), 30U);
  for (auto const& [name, der] : malformed) {
    auto const certificate = parse_certificate(der);
    ASSERT_FALSE(certificate) << name;
    EXPECT_FALSE(certificate.error().detail.empty()) << name;
  }
}

TEST(certificate, every_proper_prefix_is_refused) {
  for (auto const& [name, der] : load("certificates")) {
    for (std::size_t size = 0; size < der.size(); size += 7) {
      EXPECT_FALSE(parse_certificate(base::ByteView(der).first(size))) << name << " " << size;
    }
  }
}

TEST(certificate, more_than_32_kib_is_refused_unread) {
  Bytes big(certificate_size_max + 1, 0);
  EXPECT_EQ(parse_certificate(big).error().detail, "longer than 32 KiB");
}

TEST(certificate, keys_are_told_apart_by_algorithm) {
  auto const all = load("certificates");
  auto const kind = [&](char const* name) {
    return parse_certificate(all.at(name)).value().public_key.algorithm;
  };
  EXPECT_EQ(kind("leaf_rsa"), KeyAlgorithm::rsa);
  EXPECT_EQ(kind("leaf_pss_key"), KeyAlgorithm::rsa_pss);
  EXPECT_EQ(kind("leaf_p256"), KeyAlgorithm::ec_p256);
  EXPECT_EQ(kind("leaf_p384"), KeyAlgorithm::ec_p384);
  EXPECT_EQ(kind("leaf_p521"), KeyAlgorithm::ec_p521);
  EXPECT_EQ(kind("leaf_ed25519"), KeyAlgorithm::ed25519);
  EXPECT_EQ(kind("leaf_ed448"), KeyAlgorithm::ed448);
}

TEST(certificate, the_facts_are_those_that_were_put_in) {
  auto const all = load("certificates");
  auto const ca = parse_certificate(all.at("ca_path_0")).value();
  EXPECT_TRUE(ca.extensions.is_ca);
  EXPECT_EQ(ca.extensions.path_length_max, 0U);
  EXPECT_EQ(ca.extensions.key_usage, Extensions::key_cert_sign);
  EXPECT_TRUE(ca.is_self_issued());
  EXPECT_EQ(ca.version, 3);
  auto const leaf = parse_certificate(all.at("issued")).value();
  EXPECT_FALSE(leaf.extensions.is_ca);
  EXPECT_EQ(leaf.extensions.key_usage, 1);
  EXPECT_EQ(leaf.extensions.server_use, ServerUse::permitted);
  EXPECT_TRUE(base::equal(leaf.issuer, ca.subject));
  auto const names = parse_certificate(all.at("leaf_400_names")).value().dns_names();
  EXPECT_EQ(names.size(), 100U);
  EXPECT_EQ(names[1], "host1.example.com");
  auto const late = parse_certificate(all.at("leaf_generalized_time")).value();
  EXPECT_EQ(late.not_before_s, 1709251199);   // 2024-02-29 23:59:59
  EXPECT_EQ(late.not_after_s, 253402300799);  // RFC 5280 §4.1.2.5: no end
}

TEST(der, times_span_the_centuries) {
  auto const at = [](std::string_view text) {
    Bytes bytes{text.size() == 13 ? der::utc_time : der::generalized_time,
                static_cast<std::uint8_t>(text.size())};
    base::append(bytes, text);
    return DerReader(bytes).read_time_s();
  };
  EXPECT_EQ(at("700101000000Z"), 0);
  EXPECT_EQ(at("500101000000Z"), -631152000);
  EXPECT_EQ(at("491231235959Z"), 2524607999);
  EXPECT_EQ(at("19700101000000Z"), 0);
  EXPECT_EQ(at("20000229120000Z"), 951825600);
  EXPECT_EQ(at("00010101000000Z"), -62135596800);
  EXPECT_FALSE(at("00000101000000Z"));
  EXPECT_FALSE(at("19000229000000Z"));
  EXPECT_FALSE(at("20240001000000Z"));
  EXPECT_FALSE(at("20240100000000Z"));
  EXPECT_FALSE(at("20240101240000Z"));
}

TEST(der, only_the_shortest_form_of_a_length_is_read) {
  for (std::string_view const hex : {"0400", "0401ff"}) {
    auto const bytes = bytes_of(hex);
    EXPECT_TRUE(DerReader(bytes).read_any()) << hex;
  }
  for (std::string_view const hex : {"", "04", "0402ff", "048101ff", "04820001ff", "0480ff0000",
                                     "1f0100", "0485000000000100", "0484ffffffff", "04ff"}) {
    auto const bytes = bytes_of(hex);
    EXPECT_FALSE(DerReader(bytes).read_any()) << hex;
  }
}

TEST(der, only_the_shortest_form_of_a_value_is_read) {
  for (std::string_view const hex : {"0200", "02020001", "0202ffff", "020500ffffffff", "0201ff"}) {
    auto const bytes = bytes_of(hex);
    EXPECT_FALSE(DerReader(bytes).read_small_integer()) << hex;
  }
  auto const largest = bytes_of("02047fffffff");
  EXPECT_EQ(DerReader(largest).read_small_integer(), 0x7fffffffU);
  // In the second, seven trailing zero bits.
  for (std::string_view const hex :
       {"0300", "03020080", "0302087f", "03020701", "0304000101ff", "030107"}) {
    auto const bytes = bytes_of(hex);
    EXPECT_FALSE(DerReader(bytes).read_named_bits()) << hex;
  }
  auto const certificate_sign = bytes_of("03020204");
  EXPECT_EQ(DerReader(certificate_sign).read_named_bits(), 1U << 5);
  auto const decipher_only = bytes_of("0303070080");
  EXPECT_EQ(DerReader(decipher_only).read_named_bits(), 1U << 8);
}

TEST(der, nothing_is_read_after_a_malformed_element) {
  auto const bytes = bytes_of("04020500");
  DerReader reader(bytes);
  EXPECT_FALSE(reader.read(der::sequence));
  EXPECT_FALSE(reader.read_any());
  EXPECT_FALSE(reader.at_end());
}

TEST(host_name, a_wildcard_stands_for_one_whole_label_below_two) {
  EXPECT_TRUE(matches_host("*.example.com", "www.example.com"));
  EXPECT_TRUE(matches_host("*.example.com", "WWW.Example.COM."));
  EXPECT_FALSE(matches_host("*.example.com", "example.com"));
  EXPECT_FALSE(matches_host("*.example.com", "a.b.example.com"));
  EXPECT_FALSE(matches_host("*.example.com", ".example.com"));
  EXPECT_FALSE(matches_host("*.key", "a.key"));
  EXPECT_FALSE(matches_host("*", "key"));
  EXPECT_FALSE(matches_host("*.", "a."));
  EXPECT_FALSE(matches_host("*.*.com", "a.b.com"));
  EXPECT_FALSE(matches_host("w*.example.com", "www.example.com"));
  EXPECT_FALSE(matches_host("*.example.com", "*.example.com.."));
}

TEST(host_name, names_that_are_none_match_nothing) {
  for (std::string_view const host : {"", ".", "a..b", "a b.c", "*.example.com", "a/b"}) {
    EXPECT_FALSE(matches_host(host, host)) << host;
  }
}

}  // namespace
}  // namespace dotkey::pin
