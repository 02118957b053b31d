// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/loop/clock.h"
#include "host/store/atomic_file.h"
#include "host/trust/certificate_builder.h"
#include "host/trust/leaf_mint.h"

namespace dotkey::host::trust {
namespace {

using base::ErrorCode;
using engine::Duration;
using engine::UnixTime;

constexpr Duration day = Duration::from_s(86'400);
constexpr char host[] = "www.abc.key";

class LocalCaTest : public testing::Test {
 protected:
  LocalCaTest() {
    char name[] = "/tmp/dotkey-ca-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~LocalCaTest() override { std::filesystem::remove_all(directory_); }

  LocalCa open(UnixTime now) { return LocalCa::load_or_create(state(), now).value(); }
  [[nodiscard]] std::string state() const { return directory_ + "/ca"; }
  [[nodiscard]] std::string file() const { return state() + "/ca.pem"; }

  void write_pem(std::string const& name, X509* certificate) {
    std::FILE* const out = std::fopen((directory_ + "/" + name).c_str(), "w");
    PEM_write_X509(out, certificate);
    std::fclose(out);
  }

  // What `openssl verify` says of a leaf that names `subject` under `root`.
  bool openssl_accepts(X509* leaf, X509* root, std::string const& extra) {
    write_pem("leaf.pem", leaf);
    write_pem("root.pem", root);
    std::string const command = "cd " + directory_ + " && openssl verify -x509_strict " + extra +
                                " -purpose sslserver -CAfile root.pem leaf.pem >out.txt 2>&1";
    return std::system(command.c_str()) == 0;
  }

  std::string directory_;
  UnixTime const now_ = loop::unix_now();
};

void add_extension(X509* certificate, int nid, char const* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, nullptr, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  ASSERT_NE(extension, nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// A leaf with any subjectAltName, as somebody who stole the root's key would make it.
X509Ptr forge(Root const& root, EVP_PKEY* key, char const* names, UnixTime now) {
  X509Ptr leaf =
      make_leaf(key, "abc.key", root.certificate.get(), root.key.get(), {now - day, now + day});
  int const at = X509_get_ext_by_NID(leaf.get(), NID_subject_alt_name, -1);
  X509_EXTENSION_free(X509_delete_ext(leaf.get(), at));
  add_extension(leaf.get(), NID_subject_alt_name, names);
  X509_sign(leaf.get(), root.key.get(), EVP_sha256());
  return leaf;
}

TEST_F(LocalCaTest, openssl_accepts_a_leaf_for_its_host_and_no_other) {
  LocalCa const ca = open(now_);
  LeafMint mint(ca);
  X509* const leaf = mint.leaf_for(host, now_);
  X509* const root = ca.signer().certificate.get();
  EXPECT_TRUE(openssl_accepts(leaf, root, "-verify_hostname www.abc.key"));
  EXPECT_FALSE(openssl_accepts(leaf, root, "-verify_hostname abc.key"));
  EXPECT_FALSE(openssl_accepts(leaf, root, "-verify_hostname x.www.abc.key"));
}

TEST_F(LocalCaTest, it_cannot_vouch_for_foreign_names_or_addresses) {
  LocalCa const ca = open(now_);
  PrivateKeyPtr const key = make_p256_key();
  X509* const root = ca.signer().certificate.get();
  auto const accepts = [&](char const* names) {
    return openssl_accepts(forge(ca.signer(), key.get(), names, now_).get(), root, "");
  };
  EXPECT_TRUE(accepts("DNS:abc.key"));
  EXPECT_TRUE(accepts("DNS:a.b.c.key"));
  EXPECT_FALSE(accepts("DNS:example.com"));
  EXPECT_FALSE(accepts("DNS:abc.key,DNS:example.com"));
  EXPECT_FALSE(accepts("DNS:abc.monkey"));
  EXPECT_FALSE(accepts("DNS:abc.key.com"));
  EXPECT_FALSE(accepts("IP:127.0.0.1"));
  EXPECT_FALSE(accepts("IP:192.0.2.1"));
  EXPECT_FALSE(accepts("IP:2001:db8::1"));
  EXPECT_FALSE(accepts("DNS:abc.key,IP:::1"));
}

TEST_F(LocalCaTest, it_cannot_make_another_ca) {
  LocalCa const ca = open(now_);
  Root sub{make_p256_key(), nullptr};
  sub.certificate = make_leaf(sub.key.get(), "abc.key", ca.signer().certificate.get(),
                              ca.signer().key.get(), {now_ - day, now_ + day});
  int const at = X509_get_ext_by_NID(sub.certificate.get(), NID_basic_constraints, -1);
  X509_EXTENSION_free(X509_delete_ext(sub.certificate.get(), at));
  int const usage = X509_get_ext_by_NID(sub.certificate.get(), NID_key_usage, -1);
  X509_EXTENSION_free(X509_delete_ext(sub.certificate.get(), usage));
  add_extension(sub.certificate.get(), NID_key_usage, "critical,keyCertSign");
  add_extension(sub.certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(sub.certificate.get(), NID_subject_key_identifier, "hash");
  X509_sign(sub.certificate.get(), ca.signer().key.get(), EVP_sha256());
  PrivateKeyPtr const key = make_p256_key();
  X509Ptr const leaf = make_leaf(key.get(), "abc.key", sub.certificate.get(), sub.key.get(),
                                 {now_ - day, now_ + day});
  write_pem("sub.pem", sub.certificate.get());
  EXPECT_FALSE(openssl_accepts(leaf.get(), ca.signer().certificate.get(), "-untrusted sub.pem"));
}

TEST_F(LocalCaTest, the_root_says_what_it_is_for) {
  LocalCa const ca = open(now_);
  write_pem("root.pem", ca.signer().certificate.get());
  auto const root = ca.signer().certificate.get();
  EXPECT_EQ(X509_get_extension_flags(root) & (EXFLAG_CA | EXFLAG_INVALID | EXFLAG_XKUSAGE),
            static_cast<std::uint32_t>(EXFLAG_CA | EXFLAG_XKUSAGE));
  EXPECT_EQ(X509_get_pathlen(root), 0);
  EXPECT_EQ(X509_get_key_usage(root), static_cast<std::uint32_t>(KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  EXPECT_EQ(X509_get_extended_key_usage(root), static_cast<std::uint32_t>(XKU_SSL_SERVER));
  int const at = X509_get_ext_by_NID(root, NID_name_constraints, -1);
  ASSERT_GE(at, 0);
  EXPECT_EQ(X509_EXTENSION_get_critical(X509_get_ext(root, at)), 1);
}

TEST_F(LocalCaTest, its_file_is_private_and_read_back) {
  std::string const fingerprint = open(now_).trusted_roots()[0].fingerprint;
  struct stat facts{};
  ASSERT_EQ(::stat(file().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat(state().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700U);
  EXPECT_EQ(open(now_).trusted_roots()[0].fingerprint, fingerprint);
}

TEST_F(LocalCaTest, a_key_that_others_can_read_is_refused) {
  open(now_);
  ::chmod(file().c_str(), 0640);
  EXPECT_EQ(LocalCa::load_or_create(state(), now_).error().code, ErrorCode::trust_ca_exposed);
  ::chmod(file().c_str(), 0600);
  std::filesystem::rename(file(), directory_ + "/elsewhere");
  std::filesystem::create_symlink(directory_ + "/elsewhere", file());
  EXPECT_EQ(LocalCa::load_or_create(state(), now_).error().code, ErrorCode::trust_ca_exposed);
}

TEST_F(LocalCaTest, a_damaged_file_is_refused_and_left_alone) {
  open(now_);
  std::filesystem::resize_file(file(), 300);
  EXPECT_EQ(LocalCa::load_or_create(state(), now_).error().code, ErrorCode::trust_ca_malformed);
  EXPECT_EQ(std::filesystem::file_size(file()), 300U);
  std::filesystem::resize_file(file(), 0);
  EXPECT_EQ(LocalCa::load_or_create(state(), now_).error().code, ErrorCode::trust_ca_malformed);
}

TEST_F(LocalCaTest, it_renews_itself_and_the_old_root_stays_until_its_end) {
  LocalCa ca = open(now_);
  std::string const first = ca.trusted_roots()[0].fingerprint;
  EXPECT_FALSE(ca.renew_if_due(now_ + root_lifetime - day * 61).value());

  UnixTime const due = now_ + root_lifetime - day * 60;
  EXPECT_TRUE(ca.renew_if_due(due).value());
  EXPECT_FALSE(ca.renew_if_due(due).value());
  ASSERT_EQ(ca.trusted_roots().size(), 2U);
  EXPECT_EQ(ca.trusted_roots()[0].fingerprint, first);  // signs until the successor is trusted
  std::string const second = ca.trusted_roots()[1].fingerprint;
  EXPECT_EQ(LocalCa::load_or_create(state(), due).value().trusted_roots()[1].fingerprint, second);

  ASSERT_TRUE(ca.adopt_successor());
  EXPECT_EQ(ca.trusted_roots()[0].fingerprint, second);
  EXPECT_EQ(ca.trusted_roots()[1].fingerprint, first);
  EXPECT_EQ(LocalCa::load_or_create(state(), due).value().trusted_roots()[1].fingerprint, first);
  EXPECT_TRUE(ca.renew_if_due(now_ + root_lifetime + day).value());
  EXPECT_EQ(ca.trusted_roots().size(), 1U);
}

TEST_F(LocalCaTest, a_successor_signs_before_the_old_root_is_too_short_for_a_leaf) {
  LocalCa ca = open(now_);
  std::string const first = ca.trusted_roots()[0].fingerprint;
  UnixTime const late = now_ + root_lifetime - day * 7;
  EXPECT_TRUE(ca.renew_if_due(late).value());
  EXPECT_NE(ca.trusted_roots()[0].fingerprint, first);
  LeafMint mint(ca);
  EXPECT_TRUE(openssl_accepts(mint.leaf_for(host, late), ca.signer().certificate.get(),
                              "-attime " + std::to_string(late.us / 1'000'000)));
}

TEST_F(LocalCaTest, leaves_are_remembered_renewed_and_bounded) {
  LocalCa const ca = open(now_);
  LeafMint mint(ca);
  X509Ptr const first = share(mint.leaf_for(host, now_));
  EXPECT_EQ(mint.leaf_for(host, now_ + day * 4), first.get());
  EXPECT_NE(mint.leaf_for(host, now_ + day * 6), first.get());
  X509Ptr const second = share(mint.leaf_for(host, now_ + day * 6));
  mint.forget_leaves();
  X509Ptr const third = share(mint.leaf_for(host, now_ + day * 6));
  EXPECT_NE(third.get(), second.get());
  for (std::size_t i = 0; i < leaves_max; ++i) {
    mint.leaf_for(std::to_string(i).append(".key"), now_ + day * 6);
  }
  EXPECT_NE(mint.leaf_for(host, now_ + day * 6), third.get());
}

TEST_F(LocalCaTest, leaves_last_seven_days_from_yesterday_and_have_their_own_serials) {
  LocalCa const ca = open(now_);
  LeafMint mint(ca);
  std::set<std::string> serials;
  for (int i = 0; i < 50; ++i) {
    X509* const leaf = mint.leaf_for(std::to_string(i).append(".key"), now_);
    EXPECT_EQ((not_after_of(leaf) - not_before_of(leaf)).us, leaf_lifetime.us);
    EXPECT_LE(not_before_of(leaf), now_ - day);
    ASN1_INTEGER const* const serial = X509_get0_serialNumber(leaf);
    serials.insert({reinterpret_cast<char const*>(ASN1_STRING_get0_data(serial)),
                    static_cast<std::size_t>(ASN1_STRING_length(serial))});
  }
  EXPECT_EQ(serials.size(), 50U);
}

}  // namespace
}  // namespace dotkey::host::trust
