// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/names/hostname.h"
#include "core/names/public_key.h"

#include "tests/support/json.h"

namespace dotkey::names {
namespace {

using base::encode_hex;
using test::text_at;

boost::json::value const& vectors() {
  static auto const value = test::load_vectors("keys.json");
  return value;
}

std::string key_text() {
  return text_at(vectors().at("aliases"), "canonical");
}

TEST(public_key, keys_have_one_canonical_spelling) {
  for (auto const& vector : vectors().at("keys").as_array()) {
    auto const key = parse_public_key(text_at(vector, "zbase32"));
    ASSERT_TRUE(key) << text_at(vector, "zbase32");
    EXPECT_EQ(encode_hex(key->view()), text_at(vector, "public_key"));
    EXPECT_EQ(format_public_key(*key), text_at(vector, "zbase32"));
    EXPECT_EQ(format_public_key_uri(*key), "pk:" + text_at(vector, "zbase32"));
  }
}

TEST(public_key, all_sixteen_aliases_are_one_key) {
  auto const& spellings = vectors().at("aliases").at("spellings").as_array();
  ASSERT_EQ(spellings.size(), 16U);
  for (auto const& spelling : spellings) {
    auto const key = parse_public_key(std::string_view(spelling.as_string()));
    ASSERT_TRUE(key) << spelling;
    EXPECT_EQ(format_public_key(*key), key_text());
  }
}

TEST(public_key, the_key_is_found_in_every_accepted_spelling) {
  auto const& accepted = vectors().at("accepted");
  for (auto const& spelling : accepted.at("spellings").as_array()) {
    auto const key = parse_public_key(std::string_view(spelling.as_string()));
    ASSERT_TRUE(key) << spelling << ": " << key.error().detail;
    EXPECT_EQ(encode_hex(key->view()), text_at(accepted, "public_key")) << spelling;
  }
}

TEST(public_key, other_text_is_refused_with_a_reason) {
  for (auto const& vector : vectors().at("rejected").as_array()) {
    auto const key = parse_public_key(text_at(vector, "text"));
    ASSERT_FALSE(key) << text_at(vector, "text");
    EXPECT_EQ(base::slug_of(key.error().code), text_at(vector, "error"));
    EXPECT_EQ(key.error().detail, text_at(vector, "detail")) << text_at(vector, "text");
  }
}

TEST(public_key, a_bare_key_takes_nothing_around_it) {
  EXPECT_TRUE(parse_bare_public_key(key_text()));
  EXPECT_FALSE(parse_bare_public_key("pk:" + key_text()));
  EXPECT_FALSE(parse_bare_public_key(key_text() + "."));
  EXPECT_FALSE(parse_bare_public_key(key_text() + ".key"));
}

TEST(hostname, accepted_names_become_canonical) {
  for (auto const& vector : vectors().at("hostnames").as_array()) {
    SCOPED_TRACE(text_at(vector, "host"));
    auto const host = parse_hostname(text_at(vector, "host"));
    ASSERT_TRUE(host) << host.error().detail;
    EXPECT_EQ(host->to_string(), text_at(vector, "canonical"));
    EXPECT_EQ(host->subdomain, text_at(vector, "subdomain"));
    EXPECT_EQ(parse_hostname(host->to_string()).value(), *host);
    EXPECT_EQ(classify(text_at(vector, "host")), Ownership::ours);
  }
}

TEST(hostname, malformed_names_under_our_tld_never_count_as_foreign) {
  for (auto const& vector : vectors().at("malformed_hostnames").as_array()) {
    SCOPED_TRACE(text_at(vector, "host"));
    auto const host = parse_hostname(text_at(vector, "host"));
    ASSERT_FALSE(host);
    EXPECT_EQ(base::slug_of(host.error().code), text_at(vector, "error"));
    EXPECT_EQ(classify(text_at(vector, "host")), Ownership::malformed_ours);
  }
}

TEST(hostname, names_of_other_domains_are_not_ours) {
  for (auto const& name : vectors().at("foreign_hostnames").as_array()) {
    std::string const host(name.as_string());
    EXPECT_EQ(classify(host), Ownership::not_ours) << host;
    EXPECT_FALSE(parse_hostname(host)) << host;
  }
}

TEST(hostname, a_bare_key_is_recognised_apart) {
  for (auto const& vector : vectors().at("bare_hostnames").as_array()) {
    auto const host = parse_bare_hostname(text_at(vector, "host"));
    ASSERT_TRUE(host) << text_at(vector, "host");
    EXPECT_EQ(host->to_string(), text_at(vector, "canonical"));
    EXPECT_EQ(classify(text_at(vector, "host")), Ownership::not_ours);
  }
  EXPECT_FALSE(parse_bare_hostname(key_text() + ".key"));
  EXPECT_FALSE(parse_bare_hostname("example"));
}

TEST(hostname, a_refusal_says_what_to_mend) {
  auto const detail = [](std::string const& host) { return parse_hostname(host).error().detail; };
  EXPECT_EQ(detail(key_text().substr(1) + ".key"), "51 characters, 52 expected");
  EXPECT_EQ(detail("example.com"), "it does not end in .key");
  EXPECT_EQ(detail("key"), "no public key stands before .key");
  EXPECT_EQ(detail("b\xc3\xbc." + key_text() + ".key"),
            "write names in other scripts as A-labels (xn--...)");
}

}  // namespace
}  // namespace dotkey::names
