// SPDX-License-Identifier: Apache-2.0
#include "host/store/packet_store.h"

#include <utility>

#include "core/base/integers.h"
#include "core/crypto/hash.h"

#include "host/store/atomic_file.h"

namespace dotkey::host::store {
namespace {

using base::ErrorCode;

constexpr std::int64_t schema_version = 1;

// A packet's row is named by a secret hash of its key. A table by row id keeps a row within one
// page, where an index by key would spill each packet into an overflow page; and any stretch of
// ids is a random sample of the packets, which is all that eviction needs.
constexpr char const* schema_sql =
    "PRAGMA user_version = 1;"
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "INSERT OR IGNORE INTO meta VALUES ('hash_key', randomblob(32)), ('packets', 0);"
    "CREATE TABLE IF NOT EXISTS packets ("
    "  id INTEGER PRIMARY KEY,"
    "  timestamp_us INTEGER NOT NULL,"
    "  last_seen_us INTEGER NOT NULL,"
    "  packet BLOB NOT NULL);";  // canonical bytes

// Rows looked at for the one to evict.
constexpr int sample_size = 8;

std::int64_t row_id(std::string const& hash_key, base::ByteView key) {
  auto const hash = crypto::blake2b({base::view_of(hash_key), key});
  return static_cast<std::int64_t>(base::read_be<std::uint64_t>(hash) >> 1);
}

base::Result<std::string> read_hash_key(Database& database) {
  auto statement = database.prepare("SELECT value FROM meta WHERE name = 'hash_key'");
  if (!statement) return tl::make_unexpected(statement.error());
  if (!statement->step()) return database.failure();
  return std::string(base::text_of(statement->blob(0)));
}

std::int64_t read_integer(Database& database, std::string_view sql) {
  auto statement = database.prepare(sql);
  return statement && statement->step() ? statement->integer(0) : 0;
}

}  // namespace

base::Result<std::unique_ptr<PacketReader>> PacketReader::open(std::string const& path) {
  auto database = Database::open(path, SQLITE_OPEN_READONLY);
  if (!database) return tl::make_unexpected(database.error());
  std::unique_ptr<PacketReader> out(new PacketReader);
  out->database_ = std::move(*database);
  if (auto set = out->database_.execute("PRAGMA cache_size = -4096"); !set) {
    return tl::make_unexpected(set.error());
  }
  auto hash_key = read_hash_key(out->database_);
  if (!hash_key) return tl::make_unexpected(hash_key.error());
  out->hash_key_ = std::move(*hash_key);
  auto find = out->database_.prepare("SELECT last_seen_us, packet FROM packets WHERE id = ?");
  if (!find) return tl::make_unexpected(find.error());
  out->find_ = std::move(*find);
  return out;
}

std::optional<PacketReader::Stored> PacketReader::find(crypto::PublicKey const& key) {
  std::optional<Stored> out;
  if (find_.bind(1, row_id(hash_key_, key.bytes)).step()) {
    auto packet = record::SignedPacket::parse(find_.blob(1));
    if (packet && packet->key() == key) {
      out = Stored{std::move(*packet), {find_.integer(0)}};
    } else {
      ++corrupt_;
    }
  }
  find_.reset();
  return out;
}

base::Result<std::unique_ptr<PacketStore>> PacketStore::open(std::string const& path,
                                                             std::uint64_t packets_max) {
  std::unique_ptr<PacketStore> out(new PacketStore(path, packets_max));
  if (auto prepared = out->prepare(); !prepared) return tl::make_unexpected(prepared.error());
  out->thread_ = std::thread([store = out.get()] { store->run(); });
  return out;
}

PacketStore::PacketStore(std::string path, std::uint64_t packets_max)
    : path_(std::move(path)), packets_max_(packets_max) {}

base::Result<void> PacketStore::prepare() {
  // SQLite gives its journal the mode of the database.
  if (auto made = create_private_file(path_); !made) return made;
  auto database = Database::open(path_, SQLITE_OPEN_READWRITE);
  if (!database) return tl::make_unexpected(database.error());
  database_ = std::move(*database);
  // Pages go from the journal to their places every 32 MiB: by then most were written several
  // times, and the two syncs that this takes no longer hold up every five hundredth packet.
  auto opened = database_.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;"
      "PRAGMA wal_autocheckpoint = 8192;");
  if (!opened) return opened;
  if (read_integer(database_, "PRAGMA user_version") > schema_version) {
    return base::fail(ErrorCode::store_unusable, path_ + " was made by a newer version of dotkey");
  }
  if (auto made = database_.execute(schema_sql); !made) return made;
  auto hash_key = read_hash_key(database_);
  if (!hash_key) return tl::make_unexpected(hash_key.error());
  hash_key_ = std::move(*hash_key);
  count_ = static_cast<std::uint64_t>(
      read_integer(database_, "SELECT value FROM meta WHERE name = 'packets'"));
  counters_.packets = count_;

  struct {
    Statement& statement;
    char const* sql;
  } const statements[] = {
      // A row of another key, or one that was damaged, gives way like an older one; among equal
      // timestamps the larger DNS message wins, as everywhere.
      {upsert_,
       "INSERT INTO packets VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE "
       "SET timestamp_us = ?2, last_seen_us = ?3, packet = ?4 WHERE "
       "timestamp_us < ?2 OR substr(packet, 1, 32) <> substr(?4, 1, 32) OR "
       "(timestamp_us = ?2 AND substr(packet, 105) <= substr(?4, 105))"},
      {sample_, "SELECT id, last_seen_us FROM packets WHERE id >= ? ORDER BY id LIMIT 8"},
      {erase_, "DELETE FROM packets WHERE id = ?"},
      {save_count_, "UPDATE meta SET value = ? WHERE name = 'packets'"},
  };
  for (auto const& [statement, sql] : statements) {
    auto prepared = database_.prepare(sql);
    if (!prepared) return tl::make_unexpected(prepared.error());
    statement = std::move(*prepared);
  }
  return {};
}

PacketStore::~PacketStore() {
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool PacketStore::put(record::SignedPacket const& packet, engine::UnixTime last_seen,
                      std::function<void(bool)> on_durable) {
  base::ByteView const canonical = packet.canonical();
  {
    std::lock_guard const lock(mutex_);
    if (queue_.size() >= queue_max) return false;
    queue_.push_back(
        {base::Bytes(canonical.begin(), canonical.end()), last_seen, std::move(on_durable)});
  }
  wake_.notify_one();
  return true;
}

void PacketStore::run() {
  std::vector<Entry> batch;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      batch.swap(queue_);
    }
    bool const written = write(batch);
    (written ? counters_.written : counters_.failed) += batch.size();
    for (Entry const& entry : batch) {
      if (entry.on_durable) entry.on_durable(written);
    }
    batch.clear();
  }
}

bool PacketStore::write(std::vector<Entry> const& batch) {
  std::uint64_t const count_before = count_;
  bool good = database_.execute("BEGIN IMMEDIATE").has_value();
  for (std::size_t i = 0; good && i < batch.size(); ++i) good = write_entry(batch[i]);
  for (int n = 0; good && count_ > packets_max_ && n < 64; ++n) good = evict_one();
  good = good && (count_ == count_before || save_count());
  good = good && database_.execute("COMMIT").has_value();
  if (!good) {
    count_ = count_before;
    static_cast<void>(database_.execute("ROLLBACK"));
  }
  ++counters_.commits;
  counters_.packets = count_;
  return good;
}

bool PacketStore::write_entry(Entry const& entry) {
  std::int64_t const id = row_id(hash_key_, base::ByteView(entry.canonical).first(32));
  std::int64_t const timestamp_us = record::timestamp_us_of(entry.canonical);
  upsert_.bind(1, id).bind(2, timestamp_us).bind(3, entry.last_seen.us);
  upsert_.bind(4, base::ByteView(entry.canonical));
  // Ids are never negative, so that this one says whether a row was inserted.
  sqlite3_set_last_insert_rowid(database_.get(), -1);
  if (!upsert_.run()) return false;
  if (sqlite3_last_insert_rowid(database_.get()) == id) ++count_;
  return true;
}

// The longest unseen of a few at random: within a hair of the oldest of all, without an index.
bool PacketStore::evict_one() {
  std::uint64_t random = 0;
  sqlite3_randomness(sizeof random, &random);
  std::optional<std::int64_t> oldest_id;
  std::int64_t oldest_us = 0;
  int seen = 0;
  // Near the last id the sample goes on from the first: one row alone would be evicted, however
  // new.
  for (auto const from : {static_cast<std::int64_t>(random >> 1), std::int64_t{0}}) {
    sample_.bind(1, from);
    for (; seen < sample_size && sample_.step(); ++seen) {
      if (oldest_id && sample_.integer(1) >= oldest_us) continue;
      oldest_id = sample_.integer(0);
      oldest_us = sample_.integer(1);
    }
    sample_.reset();
  }
  if (!oldest_id) return true;
  if (!erase_.bind(1, *oldest_id).run()) return false;
  --count_;
  ++counters_.evicted;
  return true;
}

bool PacketStore::save_count() {
  return save_count_.bind(1, static_cast<std::int64_t>(count_)).run();
}

}  // namespace dotkey::host::store
