// SPDX-License-Identifier: Apache-2.0
// What a path search may cost, with chains made to be costly and signed for it.
#include "core/pin/path.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/crypto/ed25519.h"

#include "tests/support/packets.h"

namespace dotkey::pin {
namespace {

using base::Bytes;
using base::ByteView;

constexpr std::int64_t now_s = 1'735'689'600;  // 2025-01-01

// DER: tag, length, contents.
Bytes wrap(std::uint8_t tag, std::vector<Bytes> const& parts) {
  Bytes contents;
  for (Bytes const& part : parts) base::append(contents, part);
  Bytes out = {tag};
  auto const size = contents.size();
  if (size >= 256) {
    out.insert(out.end(), {0x82, static_cast<std::uint8_t>(size >> 8)});
  } else if (size >= 128) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(size));
  base::append(out, contents);
  return out;
}

Bytes sequence(std::vector<Bytes> const& parts) {
  return wrap(0x30, parts);
}

Bytes text(std::uint8_t tag, std::string_view value) {
  return wrap(tag, {base::to_bytes(base::view_of(value))});
}

Bytes oid(char const* hex) {
  return wrap(0x06, {base::parse_hex(hex).value()});
}

Bytes dns_names(std::vector<std::string> const& names) {
  std::vector<Bytes> out;
  for (std::string const& name : names) out.push_back(text(0x82, name));
  return sequence(out);
}

Bytes permitted_subtrees(std::vector<std::string> const& domains) {
  std::vector<Bytes> out;
  for (std::string const& domain : domains) out.push_back(sequence({text(0x82, domain)}));
  return sequence({wrap(0xa0, out)});
}

Bytes extension(char const* oid_hex, Bytes const& value) {
  return sequence({oid(oid_hex), wrap(0x01, {{0xff}}), wrap(0x04, {value})});
}

Bytes name(std::string_view common_name) {
  return sequence({wrap(0x31, {sequence({oid("550403"), text(0x0c, common_name)})})});
}

// Ed25519, valid from 2024 to 2044.
Bytes certify(std::string_view subject, std::string_view issuer, std::uint8_t serial,
              std::vector<Bytes> const& extensions) {
  Bytes const algorithm = sequence({oid("2b6570")});
  auto const key_of = [](std::string_view who) {
    return test::key_pair(static_cast<unsigned char>(who.front()));
  };
  Bytes const key = base::to_bytes(key_of(subject).public_key().view());
  Bytes const tbs = sequence({
      wrap(0xa0, {wrap(0x02, {{2}})}),
      wrap(0x02, {{serial}}),
      algorithm,
      name(issuer),
      sequence({text(0x17, "240101000000Z"), text(0x17, "440101000000Z")}),
      name(subject),
      sequence({algorithm, wrap(0x03, {{0}, key})}),
      wrap(0xa3, {sequence(extensions)}),
  });
  auto const signature = key_of(issuer).sign_now(tbs);
  return sequence({tbs, algorithm, wrap(0x03, {{0}, base::to_bytes(signature.view())})});
}

Bytes leaf_with(std::vector<std::string> const& names) {
  return certify("leaf", "authority", 1, {extension("551d11", dns_names(names))});
}

Bytes authority(std::uint8_t serial, std::vector<std::string> const& domains) {
  return certify("authority", "authority", serial,
                 {extension("551d13", sequence({wrap(0x01, {{0xff}})})),
                  extension("551d1e", permitted_subtrees(domains))});
}

PathResult find(Bytes const& leaf_der, std::vector<Bytes> const& others_der, Bytes const& anchor) {
  auto const leaf = parse_certificate(leaf_der).value();
  std::vector<Certificate> others;
  for (Bytes const& der : others_der) others.push_back(parse_certificate(der).value());
  auto const pinned = parse_certificate(anchor).value();
  std::vector<Anchor> const anchors = {{0, pinned.public_key, &pinned}};
  return find_path({&leaf, others, anchors, now_s});
}

TEST(path, names_and_constraints_in_usual_numbers_are_all_compared) {
  std::vector<std::string> names(100, "www.example.org");
  std::vector<std::string> domains(99, "example.com");
  domains.emplace_back("example.org");
  Bytes const anchor = authority(2, domains);
  auto const found = find(leaf_with(names), {}, anchor);
  EXPECT_EQ(found.verdict, Verdict::allow_by_tlsa_ta);
  EXPECT_EQ(found.name_comparisons, 101U * 100U);  // the subject is a name too
  names.back() = "www.example.net";
  EXPECT_EQ(find(leaf_with(names), {}, anchor).verdict, Verdict::name_constrained);
}

TEST(path, thousands_of_names_against_hundreds_of_constraints_are_denied_at_the_bound) {
  std::vector<std::string> const names(9'800, "a");
  std::vector<std::string> domains(name_subtrees_max, "b");
  domains.back() = "";  // holds every name, but only the last one does
  std::vector<Bytes> authorities;
  for (std::uint8_t serial = 2; serial < 8; ++serial) {
    authorities.push_back(authority(serial, domains));
  }
  Bytes const stranger = certify("zone", "zone", 9, {extension("551d13", sequence({}))});
  auto const found = find(leaf_with(names), authorities, stranger);
  EXPECT_EQ(found.verdict, Verdict::name_constrained);
  EXPECT_EQ(found.name_comparisons, name_comparisons_max);
  // Nor does it help to be the authority that is pinned.
  EXPECT_EQ(find(leaf_with(names), {}, authorities[0]).verdict, Verdict::name_constrained);
}

}  // namespace
}  // namespace dotkey::pin
