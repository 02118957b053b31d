// SPDX-License-Identifier: Apache-2.0
// Real NSS databases, made and read by certutil.
#include "host/trust/trust_stores.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "host/loop/clock.h"

namespace dotkey::host::trust {
namespace {

namespace fs = std::filesystem;

class TrustStoresTest : public testing::Test {
 protected:
  TrustStoresTest() {
    char name[] = "/tmp/dotkey-trust-XXXXXX";
    home_ = ::mkdtemp(name);
    user_ = {home_, home_ + "/.local/share"};
  }
  ~TrustStoresTest() override { fs::remove_all(home_); }

  static std::string output_of(std::string const& command) {
    std::string text;
    std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
    std::array<char, 4096> buffer{};
    while (std::size_t const n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
      text.append(buffer.data(), n);
    }
    ::pclose(pipe);
    return text;
  }

  void make_database(std::string const& below, std::string const& options = "--empty-password") {
    fs::create_directories(home_ + below);
    output_of("certutil -N -d sql:" + home_ + below + " " + options);
  }

  std::string listing(std::string const& below) {
    return output_of("certutil -L -d sql:" + home_ + below);
  }

  // A Firefox with two profiles, one of them elsewhere, and a certificate of the user's own.
  void make_firefox() {
    make_database("/.mozilla/firefox/abc.default");
    make_database("/elsewhere");
    std::ofstream(home_ + "/.mozilla/firefox/profiles.ini")
        << "[General]\nVersion=2\nPath=trap\n\n[Profile0]\nName=a\nIsRelative=1\nPath=abc.default\n"
        << "[Profile1]\r\nName=b\r\nIsRelative=0\r\nPath=" << home_ << "/elsewhere\r\n"
        << "[Profile2]\nName=never started\nIsRelative=1\nPath=empty\n";
    std::string const own = home_ + "/own.pem";
    output_of(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 "
        "-subj /CN=own -keyout /dev/null -out " +
        own);
    output_of("certutil -A -n own -t C,, -i " + own + " -d sql:" + home_ + "/elsewhere");
  }

  static void expect_all_done(std::vector<StoreOutcome> const& outcomes) {
    for (StoreOutcome const& outcome : outcomes) {
      EXPECT_FALSE(outcome.error) << outcome.error->detail;
      EXPECT_TRUE(outcome.changed) << outcome.store.directory;
    }
  }

  // Every path below the home directory but the databases' own content.
  std::vector<std::string> paths() const {
    std::vector<std::string> found;
    for (auto const& entry : fs::recursive_directory_iterator(home_)) {
      found.push_back(entry.path().string());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  std::string home_;
  UserDirectories user_;
  LocalCa ca_ = make_ca();
  std::vector<TrustedRoot> roots_ = ca_.trusted_roots();

 private:
  static LocalCa make_ca() {
    char name[] = "/tmp/dotkey-trust-ca-XXXXXX";
    std::string const directory = ::mkdtemp(name);
    LocalCa ca = LocalCa::load_or_create(directory, loop::unix_now()).value();
    fs::remove_all(directory);
    return ca;
  }
};

TEST_F(TrustStoresTest, every_profile_and_chromiums_own_database_is_found) {
  make_firefox();
  std::vector<TrustStore> const stores = find_trust_stores(user_);
  ASSERT_EQ(stores.size(), 3U);
  EXPECT_EQ(stores[0].directory, home_ + "/.local/share/pki/nssdb");
  EXPECT_FALSE(stores[0].exists);
  EXPECT_EQ(stores[1].directory, home_ + "/.mozilla/firefox/abc.default");
  EXPECT_EQ(stores[2].directory, home_ + "/elsewhere");
  fs::create_directories(home_ + "/.pki/nssdb");
  EXPECT_EQ(find_trust_stores(user_)[0].directory, home_ + "/.pki/nssdb");
}

TEST_F(TrustStoresTest, install_and_remove_leave_every_database_as_it_was) {
  make_firefox();
  make_database("/.pki/nssdb");
  std::vector<std::string> const places{"/.pki/nssdb", "/.mozilla/firefox/abc.default",
                                        "/elsewhere"};
  std::vector<std::string> before;
  for (std::string const& place : places) before.push_back(listing(place));
  auto const paths_before = paths();

  std::vector<TrustStore> const stores = find_trust_stores(user_);
  expect_all_done(install_roots(stores, roots_));
  for (std::string const& place : places) {
    EXPECT_NE(listing(place).find(roots_[0].name), std::string::npos) << listing(place);
    EXPECT_NE(listing(place).find(" C,,"), std::string::npos);
  }
  for (StoreOutcome const& again : install_roots(stores, roots_)) EXPECT_FALSE(again.changed);

  expect_all_done(remove_roots(stores, {roots_[0].fingerprint}));
  for (std::size_t i = 0; i < places.size(); ++i) EXPECT_EQ(listing(places[i]), before[i]);
  EXPECT_EQ(paths(), paths_before);
  for (StoreOutcome const& again : remove_roots(stores, {roots_[0].fingerprint})) {
    EXPECT_FALSE(again.changed);
    EXPECT_FALSE(again.error);
  }
}

TEST_F(TrustStoresTest, a_database_that_we_made_goes_away_again) {
  auto const before = paths();
  expect_all_done(install_roots(find_trust_stores(user_), roots_));
  EXPECT_NE(listing("/.local/share/pki/nssdb").find(roots_[0].name), std::string::npos);
  expect_all_done(remove_roots(find_trust_stores(user_), {roots_[0].fingerprint}));
  EXPECT_EQ(paths(), before);
}

TEST_F(TrustStoresTest, a_database_that_we_made_stays_when_someone_uses_it) {
  expect_all_done(install_roots(find_trust_stores(user_), roots_));
  make_firefox();
  output_of("certutil -A -n own -t C,, -i " + home_ + "/own.pem -d sql:" + user_.data_home +
            "/pki/nssdb");
  auto const outcomes = remove_roots({find_trust_stores(user_)[0]}, {roots_[0].fingerprint});
  expect_all_done(outcomes);
  EXPECT_NE(listing("/.local/share/pki/nssdb").find("own"), std::string::npos);
  EXPECT_EQ(listing("/.local/share/pki/nssdb").find(roots_[0].name), std::string::npos);
}

TEST_F(TrustStoresTest, a_primary_password_is_named_and_nothing_stays_behind) {
  std::ofstream(home_ + "/password") << "secret\n";
  make_database("/.pki/nssdb", "-f " + home_ + "/password");
  std::string const before = listing("/.pki/nssdb");
  auto const outcomes = install_roots(find_trust_stores(user_), roots_);
  ASSERT_EQ(outcomes.size(), 1U);
  ASSERT_TRUE(outcomes[0].error);
  EXPECT_EQ(outcomes[0].error->code, base::ErrorCode::trust_store_locked);
  EXPECT_EQ(listing("/.pki/nssdb"), before);
}

TEST_F(TrustStoresTest, a_certificate_of_the_same_name_is_not_touched) {
  make_firefox();
  std::string const foreign = listing("/elsewhere");
  auto const outcomes =
      remove_roots({{StoreKind::firefox, home_ + "/elsewhere", true}}, {std::string(64, '0')});
  EXPECT_FALSE(outcomes[0].error);
  EXPECT_FALSE(outcomes[0].changed);
  EXPECT_EQ(listing("/elsewhere"), foreign);
}

}  // namespace
}  // namespace dotkey::host::trust
