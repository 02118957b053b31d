// SPDX-License-Identifier: Apache-2.0
// Signed packets on disk: a million of them in SQLite, acknowledged when they are durable.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/keys.h"
#include "core/engine/time.h"
#include "core/record/signed_packet.h"

#include "host/store/sqlite.h"

namespace dotkey::host::store {

// Reads packets, on one thread; any number of readers beside the one writer.
class PacketReader {
 public:
  // The database exists: a PacketStore opened it. Errors: store_unusable.
  static base::Result<std::unique_ptr<PacketReader>> open(std::string const& path);

  struct Stored {
    record::SignedPacket packet;
    engine::UnixTime last_seen;
  };
  // Verifies the signature: a file is not a proof. A row that fails is counted and as good as
  // absent; the next packet of that key replaces it.
  std::optional<Stored> find(crypto::PublicKey const& key);
  [[nodiscard]] std::uint64_t corrupt() const { return corrupt_; }

 private:
  PacketReader() = default;
  Database database_;
  Statement find_;
  std::string hash_key_;
  std::uint64_t corrupt_ = 0;
};

struct PacketStoreCounters {
  std::atomic<std::uint64_t> packets = 0;
  std::atomic<std::uint64_t> written = 0;
  std::atomic<std::uint64_t> commits = 0;
  std::atomic<std::uint64_t> evicted = 0;
  std::atomic<std::uint64_t> failed = 0;
};

// One writing thread behind a bounded queue. All that waits goes into one transaction, so the disk
// sets how many share a sync.
class PacketStore {
 public:
  static constexpr std::uint64_t packets_max_default = 1'000'000;
  static constexpr std::size_t queue_max = 16'384;

  // Creates the database, readable by this user alone, unless it is there. Errors: store_unusable
  // (also for one of a newer schema), file_unwritable.
  static base::Result<std::unique_ptr<PacketStore>> open(
      std::string const& path, std::uint64_t packets_max = packets_max_default);
  ~PacketStore();  // writes what waits
  PacketStore(PacketStore const&) = delete;
  PacketStore& operator=(PacketStore const&) = delete;

  // Keeps a verified packet unless a more recent one of its key is kept. `on_durable` runs on the
  // writing thread, when the packet would survive a power cut (true) or was not written (false). On
  // any thread. False: the queue is full, and `on_durable` will not run.
  bool put(record::SignedPacket const& packet, engine::UnixTime last_seen,
           std::function<void(bool)> on_durable);

  // On any thread. A smaller store shrinks by a few rows with each batch that is written.
  void set_packets_max(std::uint64_t packets_max) { packets_max_ = packets_max; }

  [[nodiscard]] std::string const& path() const { return path_; }
  [[nodiscard]] PacketStoreCounters const& counters() const { return counters_; }

 private:
  struct Entry {
    base::Bytes canonical;
    engine::UnixTime last_seen;
    std::function<void(bool)> on_durable;
  };
  PacketStore(std::string path, std::uint64_t packets_max);
  base::Result<void> prepare();
  void run();
  bool write(std::vector<Entry> const& batch);
  bool write_entry(Entry const& entry);
  bool evict_one();
  bool save_count();

  std::string path_;
  std::atomic<std::uint64_t> packets_max_;
  std::string hash_key_;
  Database database_;
  Statement upsert_;
  Statement sample_;
  Statement erase_;
  Statement save_count_;
  std::uint64_t count_ = 0;
  PacketStoreCounters counters_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Entry> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace dotkey::host::store
