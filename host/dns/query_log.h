// SPDX-License-Identifier: Apache-2.0
// What was asked and what came of it, one line each, for an operator who wants to know. Who asked
// is never written.
#pragma once

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/engine/time.h"

namespace dotkey::host::dns {

class QueryLog {
 public:
  // Appends to the file, which is the user's alone. Errors: file_unwritable.
  static base::Result<std::shared_ptr<QueryLog>> open(std::string const& path);

  // "1732200000 www.example. A NOERROR" for a reply of ours. On any thread.
  void add(engine::UnixTime now, base::ByteView reply);

 private:
  struct Close {
    void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
  };
  explicit QueryLog(std::FILE* file) : file_(file) {}

  std::mutex mutex_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace dotkey::host::dns
