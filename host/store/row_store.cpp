// SPDX-License-Identifier: Apache-2.0
#include "host/store/row_store.h"

#include <utility>

#include "host/store/atomic_file.h"

namespace dotkey::host::store {

using base::Result;

namespace {

constexpr char const* rows_schema_sql =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -512;"
    "CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, row BLOB NOT NULL);";

}  // namespace

Result<RowStore> RowStore::open(std::string const& path) {
  if (auto made = create_private_file(path); !made) return tl::make_unexpected(made.error());
  auto database = Database::open(path, SQLITE_OPEN_READWRITE);
  if (!database) return tl::make_unexpected(database.error());
  RowStore out;
  out.database_ = std::move(*database);
  if (auto prepared = out.prepare(); !prepared) return tl::make_unexpected(prepared.error());
  return out;
}

Result<void> RowStore::prepare() {
  if (auto made = database_.execute(rows_schema_sql); !made) return made;
  struct {
    Statement& statement;
    char const* sql;
  } const statements[] = {
      {save_, "INSERT INTO rows VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET row = ?2"},
      {drop_, "DELETE FROM rows WHERE key = ?"},
      {all_, "SELECT row FROM rows"},
  };
  for (auto const& [statement, sql] : statements) {
    auto prepared = database_.prepare(sql);
    if (!prepared) return tl::make_unexpected(prepared.error());
    statement = std::move(*prepared);
  }
  return {};
}

Result<void> RowStore::run(Statement& statement) {
  if (!statement.run()) return database_.failure();
  return {};
}

Result<void> RowStore::save(crypto::PublicKey const& key, base::ByteView row) {
  return run(save_.bind(1, key.view()).bind(2, row));
}

Result<void> RowStore::drop(crypto::PublicKey const& key) {
  return run(drop_.bind(1, key.view()));
}

}  // namespace dotkey::host::store
