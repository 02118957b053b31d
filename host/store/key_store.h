// SPDX-License-Identifier: Apache-2.0
// The user's keys: one file each in a private directory. An existing key is never overwritten.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/custody/key_file.h"

namespace dotkey::host::store {

class KeyStore {
 public:
  explicit KeyStore(std::string directory) : directory_(std::move(directory)) {}

  // [a-z0-9][a-z0-9._-]{0,63}: safe as a file name, never hidden, never a path.
  static bool is_name(std::string_view name);

  // Sorted. A missing directory is an empty store. Errors: file_unreadable.
  [[nodiscard]] base::Result<std::vector<std::string>> names() const;

  // Errors: keystore_name_invalid, keystore_not_found, keystore_malformed, file_unreadable.
  [[nodiscard]] base::Result<custody::KeyFile> load(std::string_view name) const;

  // `text` is what custody::encode_key_file() gave. Errors: keystore_name_invalid, keystore_exists,
  // file_unwritable.
  [[nodiscard]] base::Result<void> add(std::string_view name, std::string_view text) const;

  // The file itself, checked as load() checks it. The caller wipes it.
  [[nodiscard]] base::Result<std::string> text_of(std::string_view name) const;

  // Errors: keystore_name_invalid, keystore_not_found, keystore_exists, file_unwritable.
  [[nodiscard]] base::Result<void> rename(std::string_view name, std::string_view new_name) const;

  // Errors: keystore_name_invalid, keystore_not_found, file_unwritable.
  [[nodiscard]] base::Result<void> remove(std::string_view name) const;

  [[nodiscard]] std::string path_of(std::string_view name) const;

 private:
  [[nodiscard]] base::Result<base::Bytes> read(std::string_view name) const;

  std::string directory_;
};

}  // namespace dotkey::host::store
