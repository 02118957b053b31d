// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/base/text.h"
#include "core/crypto/ed25519.h"
#include "core/names/public_key.h"

#include "host/store/allowed_keys.h"
#include "host/store/atomic_file.h"
#include "host/store/dht_state.h"
#include "host/store/key_store.h"
#include "host/store/row_store.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::host::store {
namespace {

using base::ErrorCode;

// A directory of its own for each test, gone afterwards.
class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "dotkey-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(std::string const& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::size_t entries() const {
    std::size_t n = 0;
    for ([[maybe_unused]] auto const& entry : std::filesystem::directory_iterator(path_)) ++n;
    return n;
  }

 private:
  std::string path_;
};

crypto::Seed seed_of(std::uint8_t fill) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(fill);
  return *crypto::Seed::from(bytes);
}

unsigned mode_of(std::string const& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

TEST(atomic_file, a_written_file_reads_back_with_its_mode_and_leaves_no_temporary) {
  Directory const dir;
  ASSERT_TRUE(write_file(dir.file("a"), base::view_of("one"), 0600, Existing::refuse));
  ASSERT_TRUE(write_file(dir.file("a"), base::view_of("two"), 0644, Existing::replace));
  EXPECT_EQ(base::text_of(read_file(dir.file("a"), 10).value()), "two");
  EXPECT_EQ(mode_of(dir.file("a")), 0644U);
  EXPECT_EQ(dir.entries(), 1U);
}

TEST(atomic_file, refuse_keeps_the_old_content) {
  Directory const dir;
  ASSERT_TRUE(write_file(dir.file("a"), base::view_of("one"), 0600, Existing::refuse));
  auto const second = write_file(dir.file("a"), base::view_of("two"), 0600, Existing::refuse);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::file_exists);
  EXPECT_EQ(base::text_of(read_file(dir.file("a"), 10).value()), "one");
  EXPECT_EQ(dir.entries(), 1U);
}

TEST(atomic_file, a_missing_directory_a_directory_and_a_large_file_are_errors) {
  Directory const dir;
  auto const write = write_file(dir.file("no/a"), base::view_of("x"), 0600, Existing::replace);
  EXPECT_EQ(write.error().code, ErrorCode::file_unwritable);
  EXPECT_EQ(read_file(dir.file("no"), 10).error().code, ErrorCode::file_unreadable);
  EXPECT_EQ(read_file(dir.file(""), 10).error().code, ErrorCode::file_unreadable);
  ASSERT_TRUE(write_file(dir.file("a"), base::view_of("12345"), 0600, Existing::refuse));
  EXPECT_TRUE(read_file(dir.file("a"), 5));
  EXPECT_EQ(read_file(dir.file("a"), 4).error().code, ErrorCode::file_unreadable);
}

TEST(atomic_file, private_directories_are_made_with_their_parents) {
  Directory const dir;
  ASSERT_TRUE(create_private_directory(dir.file("x/y/z")));
  EXPECT_EQ(mode_of(dir.file("x/y/z")), 0700U);
  ASSERT_TRUE(create_private_directory(dir.file("x/y/z")));
  ASSERT_TRUE(write_file(dir.file("f"), base::view_of("x"), 0600, Existing::refuse));
  EXPECT_FALSE(create_private_directory(dir.file("f")));
}

TEST(key_store, names_that_could_be_paths_or_hidden_files_are_refused) {
  for (auto const* name : {"alice", "a", "0", "a.b_c-d"}) EXPECT_TRUE(KeyStore::is_name(name));
  for (auto const* name : {"", ".", "..", ".a", "-a", "a/b", "A", "a b", "ä"}) {
    EXPECT_FALSE(KeyStore::is_name(name)) << name;
  }
  EXPECT_TRUE(KeyStore::is_name(std::string(64, 'a')));
  EXPECT_FALSE(KeyStore::is_name(std::string(65, 'a')));
}

TEST(key_store, keys_are_added_listed_and_removed_and_never_overwritten) {
  Directory const dir;
  KeyStore const store(dir.file("keys"));
  EXPECT_TRUE(store.names()->empty());
  ASSERT_TRUE(store.add("bob", custody::encode_key_file(seed_of(1))));
  ASSERT_TRUE(store.add("alice", custody::encode_key_file(seed_of(2))));
  EXPECT_EQ(store.add("bob", custody::encode_key_file(seed_of(3))).error().code,
            ErrorCode::keystore_exists);
  EXPECT_EQ(store.names().value(), (std::vector<std::string>{"alice", "bob"}));
  EXPECT_EQ(store.load("bob")->public_key, crypto::KeyPair(seed_of(1)).public_key());
  EXPECT_EQ(mode_of(store.path_of("bob")), 0600U);
  EXPECT_EQ(mode_of(dir.file("keys")), 0700U);
  ASSERT_TRUE(store.remove("bob"));
  EXPECT_EQ(store.load("bob").error().code, ErrorCode::keystore_not_found);
  EXPECT_EQ(store.remove("bob").error().code, ErrorCode::keystore_not_found);
}

TEST(dht_state, explicit_bootstrap_nodes_have_a_table_of_their_own_in_any_order) {
  std::vector<std::string> const none;
  std::vector<std::string> const ab = {"a:1", "b:2"};
  std::vector<std::string> const ba = {"b:2", "a:1", "b:2"};
  std::vector<std::string> const a = {"a:1"};
  EXPECT_EQ(dht_state_path("/s", none), "/s/dht.state");
  EXPECT_EQ(dht_state_path("/s", ab), dht_state_path("/s", ba));
  EXPECT_NE(dht_state_path("/s", ab), dht_state_path("/s", a));
  EXPECT_NE(dht_state_path("/s", ab), dht_state_path("/s", none));
}

TEST(row_store, keeps_the_last_row_of_each_key_over_restarts) {
  Directory const dir;
  std::string const path = dir.file("state/rows.sqlite");
  crypto::PublicKey first;
  crypto::PublicKey second;
  second.bytes[0] = 1;
  {
    auto store = RowStore::open(path).value();
    ASSERT_TRUE(store.save(first, base::view_of("old")));
    ASSERT_TRUE(store.save(second, base::view_of("gone")));
    ASSERT_TRUE(store.save(first, base::view_of("new")));
    ASSERT_TRUE(store.drop(second));
  }
  auto store = RowStore::open(path).value();
  std::vector<std::string> rows;
  store.for_each([&](base::ByteView row) { rows.emplace_back(base::text_of(row)); });
  EXPECT_EQ(rows, std::vector<std::string>{"new"});
  struct stat facts{};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST(allowed_keys, are_kept_over_restarts_and_ignore_lines_that_are_no_key) {
  Directory const dir;
  crypto::PublicKey const key =
      names::parse_bare_public_key("8pinxxgqs41n4aididenw5apqp1urfmzdztr8jt4abrkdn435ewo").value();
  AllowedKeys keys(AllowedKeys::local_path_in(dir.file("state")));
  EXPECT_FALSE(keys.contains(key));
  ASSERT_TRUE(keys.set(key, true));
  EXPECT_TRUE(AllowedKeys(AllowedKeys::local_path_in(dir.file("state"))).contains(key));
  std::string const path = dir.file("state/allow-local");
  ASSERT_TRUE(write_file(path, base::view_of("no key\n\n" + names::format_public_key(key)), 0600,
                         Existing::replace));
  keys.reload();
  EXPECT_EQ(keys.keys().size(), 1U);
  ASSERT_TRUE(keys.set(key, false));
  EXPECT_TRUE(AllowedKeys(AllowedKeys::local_path_in(dir.file("state"))).keys().empty());
}

}  // namespace
}  // namespace dotkey::host::store
