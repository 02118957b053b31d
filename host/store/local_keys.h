// SPDX-License-Identifier: Apache-2.0
// The keys whose names may lead to this machine and its local network, by the user's word.
#pragma once

#include <set>
#include <string>

#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace dotkey::host::store {

class LocalKeys {
 public:
  // STATE_DIR/allow-local: a key a line. Lines that are no key are ignored, a file that cannot be
  // read allows nobody.
  explicit LocalKeys(std::string const& state_dir);

  void reload();
  [[nodiscard]] bool contains(crypto::PublicKey const& key) const { return keys_.contains(key); }
  [[nodiscard]] std::set<crypto::PublicKey> const& keys() const { return keys_; }

  // Errors: file_unwritable; number_out_of_range beyond keys_max.
  base::Result<void> set(crypto::PublicKey const& key, bool allowed);

  static constexpr std::size_t keys_max = 4096;

 private:
  std::string path_;
  std::set<crypto::PublicKey> keys_;
};

}  // namespace dotkey::host::store
