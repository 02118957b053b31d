// SPDX-License-Identifier: Apache-2.0
#include "host/store/sqlite.h"

namespace dotkey::host::store {

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
  return *this;
}

Statement& Statement::bind(int index, base::ByteView value) {
  sqlite3_bind_blob(statement_.get(), index, value.data(), static_cast<int>(value.size()),
                    SQLITE_STATIC);
  return *this;
}

bool Statement::run() {
  int status = SQLITE_ROW;
  while (status == SQLITE_ROW) status = sqlite3_step(statement_.get());
  sqlite3_reset(statement_.get());
  return status == SQLITE_DONE;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

base::ByteView Statement::blob(int column) const {
  auto const* const data =
      static_cast<std::uint8_t const*>(sqlite3_column_blob(statement_.get(), column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

base::Result<Database> Database::open(std::string const& path, int flags) {
  Database out;
  sqlite3* raw = nullptr;
  int const status = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  out.database_.reset(raw);
  if (status != SQLITE_OK) {
    return base::fail(base::ErrorCode::store_unusable, path + ": " + sqlite3_errstr(status));
  }
  sqlite3_busy_timeout(raw, 5000);
  return out;
}

base::Result<void> Database::execute(char const* sql) {
  if (sqlite3_exec(get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure();
  return {};
}

base::Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  int const status = sqlite3_prepare_v3(get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (status != SQLITE_OK) return failure();
  return Statement(statement);
}

base::Failure Database::failure() const {
  char const* const file = sqlite3_db_filename(get(), "main");
  return base::fail(base::ErrorCode::store_unusable,
                    std::string(file == nullptr ? "" : file) + ": " + sqlite3_errmsg(get()));
}

}  // namespace dotkey::host::store
