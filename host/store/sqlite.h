// SPDX-License-Identifier: Apache-2.0
// SQLite's handles as values that close themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace dotkey::host::store {

// A prepared statement. Parameters count from 1, columns from 0.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, base::ByteView value);  // the bytes live until the next step
  // True while there is a row; reset() follows.
  bool step() { return sqlite3_step(statement_.get()) == SQLITE_ROW; }
  // Runs to its end, ready for the next time. False: it failed.
  bool run();
  void reset() { sqlite3_reset(statement_.get()); }
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] base::ByteView blob(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  Database() = default;
  // Errors: store_unusable, with SQLite's reason.
  static base::Result<Database> open(std::string const& path, int flags);
  [[nodiscard]] base::Result<void> execute(char const* sql);
  [[nodiscard]] base::Result<Statement> prepare(std::string_view sql);
  [[nodiscard]] sqlite3* get() const { return database_.get(); }
  [[nodiscard]] base::Failure failure() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace dotkey::host::store
