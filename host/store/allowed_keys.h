// SPDX-License-Identifier: Apache-2.0
// Keys to which the user allowed something, such as leading to this machine.
#pragma once

#include <set>
#include <string>

#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace dotkey::host::store {

class AllowedKeys {
 public:
  // `path`: a key a line. Lines that are no key are ignored, a file that cannot be read allows
  // nobody.
  explicit AllowedKeys(std::string path);

  void reload();
  [[nodiscard]] bool contains(crypto::PublicKey const& key) const { return keys_.contains(key); }
  [[nodiscard]] std::set<crypto::PublicKey> const& keys() const { return keys_; }

  // Errors: file_unwritable; number_out_of_range beyond keys_max.
  base::Result<void> set(crypto::PublicKey const& key, bool allowed);

  static constexpr std::size_t keys_max = 4096;

  // Of a state directory: keys whose names may lead to this machine and its local network, and keys
  // without pins whose pages may be opened over http, which is not encrypted.
  static std::string local_path_in(std::string const& state_dir) {
    return state_dir + "/allow-local";
  }
  static std::string http_path_in(std::string const& state_dir) {
    return state_dir + "/allow-http";
  }

 private:
  std::string path_;
  std::set<crypto::PublicKey> keys_;
};

}  // namespace dotkey::host::store
