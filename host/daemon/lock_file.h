// SPDX-License-Identifier: Apache-2.0
// One daemon a state directory.
#pragma once

#include <string>

#include "core/base/result.h"

namespace dotkey::host::daemon {

class LockFile {
 public:
  // Held until this object goes, or the process does however it ends. Errors: daemon_running,
  // file_unwritable.
  static base::Result<LockFile> acquire(std::string const& path);
  ~LockFile();
  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&&) = delete;

 private:
  explicit LockFile(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace dotkey::host::daemon
