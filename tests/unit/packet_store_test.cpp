// SPDX-License-Identifier: Apache-2.0
#include "host/store/packet_store.h"

#include <cstdlib>
#include <filesystem>
#include <future>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/crypto/ed25519.h"

namespace dotkey::host::store {
namespace {

using record::SignedPacket;

class PacketStoreTest : public testing::Test {
 protected:
  PacketStoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "dotkey-test-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    path_ = directory_ + "/state/packets.sqlite";
  }
  ~PacketStoreTest() override { std::filesystem::remove_all(directory_); }

  static SignedPacket packet_of(std::uint8_t number, std::int64_t timestamp_us) {
    crypto::Seed seed;
    seed.writable()[0] = number;
    crypto::KeyPair signer(seed);
    return *SignedPacket::build(signer, timestamp_us, {});
  }
  static bool put(PacketStore& store, SignedPacket const& packet, std::int64_t seen_us = 1) {
    std::promise<bool> durable;
    EXPECT_TRUE(store.put(packet, {seen_us}, [&](bool good) { durable.set_value(good); }));
    return durable.get_future().get();
  }
  [[nodiscard]] std::unique_ptr<PacketStore> open(std::uint64_t packets_max = 1000) const {
    auto store = PacketStore::open(path_, packets_max);
    EXPECT_TRUE(store) << store.error().detail;
    return std::move(*store);
  }
  void execute(char const* sql) const {
    auto database = Database::open(path_, SQLITE_OPEN_READWRITE);
    ASSERT_TRUE(database && database->execute(sql));
  }

  std::string directory_;
  std::string path_;
};

TEST_F(PacketStoreTest, a_packet_is_there_after_a_restart) {
  SignedPacket const packet = packet_of(1, 1000);
  ASSERT_TRUE(put(*open(), packet, 77));
  auto const store = open();
  EXPECT_EQ(store->counters().packets, 1U);
  auto const found = (*PacketReader::open(path_))->find(packet.key());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->packet, packet);
  EXPECT_EQ(found->last_seen.us, 77);
}

TEST_F(PacketStoreTest, an_older_packet_never_replaces_a_newer_one) {
  auto const store = open();
  auto const reader = std::move(*PacketReader::open(path_));
  for (std::int64_t const timestamp_us : {1000, 3000, 2000}) {
    ASSERT_TRUE(put(*store, packet_of(1, timestamp_us)));
  }
  EXPECT_EQ(reader->find(packet_of(1, 0).key())->packet.timestamp_us(), 3000);
  EXPECT_EQ(store->counters().packets, 1U);
}

TEST_F(PacketStoreTest, a_damaged_row_is_skipped_counted_and_replaced) {
  SignedPacket const packet = packet_of(1, 1000);
  auto const store = open();
  ASSERT_TRUE(put(*store, packet));
  execute("UPDATE packets SET packet = zeroblob(116)");
  auto const reader = std::move(*PacketReader::open(path_));
  EXPECT_FALSE(reader->find(packet.key()));
  EXPECT_EQ(reader->corrupt(), 1U);
  ASSERT_TRUE(put(*store, packet));
  EXPECT_TRUE(reader->find(packet.key()));
}

TEST_F(PacketStoreTest, when_it_is_full_the_packets_unseen_longest_go) {
  auto const store = open(20);
  for (std::uint8_t number = 1; number <= 60; ++number) {
    ASSERT_TRUE(put(*store, packet_of(number, 1000), number));
  }
  EXPECT_EQ(store->counters().packets, 20U);
  EXPECT_EQ(store->counters().evicted, 40U);
  auto const reader = std::move(*PacketReader::open(path_));
  EXPECT_TRUE(reader->find(packet_of(60, 0).key()));
}

TEST_F(PacketStoreTest, a_smaller_bound_holds_from_the_next_packets_on) {
  auto const store = open(20);
  for (std::uint8_t number = 1; number <= 20; ++number) {
    ASSERT_TRUE(put(*store, packet_of(number, 1000), number));
  }
  store->set_packets_max(5);
  ASSERT_TRUE(put(*store, packet_of(21, 1000), 21));
  EXPECT_EQ(store->counters().packets, 5U);
}

TEST_F(PacketStoreTest, a_database_of_a_newer_version_is_left_alone) {
  {
    auto const store = open();
  }
  execute("PRAGMA user_version = 2");
  auto const refused = PacketStore::open(path_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::store_unusable);
}

TEST_F(PacketStoreTest, nobody_else_may_read_it) {
  auto const store = open();
  for (char const* const suffix : {"", "-wal", "-shm"}) {
    struct stat status{};
    ASSERT_EQ(::stat((path_ + suffix).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U) << suffix;
  }
}

}  // namespace
}  // namespace dotkey::host::store
