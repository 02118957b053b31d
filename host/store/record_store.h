// SPDX-License-Identifier: Apache-2.0
// The last record seen of each key: what keeps a publisher's timestamps rising and an old record
// from being taken for new. The caller verifies what it reads; a file is not a proof.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/keys.h"
#include "core/engine/time.h"

namespace dotkey::host::store {

class RecordStore {
 public:
  static constexpr std::size_t records_max = 4096;

  explicit RecordStore(std::string const& state_dir) : directory_(state_dir + "/records") {}

  struct Seen {
    engine::UnixTime at;
    base::Bytes packet;  // canonical bytes, unverified
  };
  // Absent when there is none or it cannot be read.
  [[nodiscard]] std::optional<Seen> load(crypto::PublicKey const& key) const;

  // Replaces what is kept for `key`; beyond records_max the record seen longest ago goes. Errors:
  // file_unwritable.
  [[nodiscard]] base::Result<void> save(crypto::PublicKey const& key, engine::UnixTime now,
                                        base::ByteView packet) const;

 private:
  [[nodiscard]] std::string path_of(crypto::PublicKey const& key) const;
  void forget_oldest() const;

  std::string directory_;
};

}  // namespace dotkey::host::store
