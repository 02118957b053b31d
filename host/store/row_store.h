// SPDX-License-Identifier: Apache-2.0
// The publisher's rows: what is to be kept alive, over restarts. A row is on the disk when save()
// returns, for it is all that a user's record lives on after a power cut.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/crypto/keys.h"

#include "host/store/sqlite.h"

namespace dotkey::host::store {

class RowStore {
 public:
  // Creates the database, readable by this user alone, unless it is there. Errors: store_unusable,
  // file_unwritable.
  static base::Result<RowStore> open(std::string const& path);

  // Errors: store_unusable.
  base::Result<void> save(crypto::PublicKey const& key, base::ByteView row);
  base::Result<void> drop(crypto::PublicKey const& key);

  // Calls `visit(base::ByteView)` for every row.
  template <class Visit>
  void for_each(Visit visit) {
    while (all_.step()) visit(all_.blob(0));
    all_.reset();
  }

 private:
  RowStore() = default;
  base::Result<void> prepare();
  base::Result<void> run(Statement& statement);

  Database database_;
  Statement save_;
  Statement drop_;
  Statement all_;
};

}  // namespace dotkey::host::store
