// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/lock_file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dotkey::host::daemon {

using base::ErrorCode;

base::Result<LockFile> LockFile::acquire(std::string const& path) {
  int const fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (fd < 0) return base::fail(ErrorCode::file_unwritable, path + ": " + std::strerror(errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return LockFile(fd);
  int const reason = errno;
  ::close(fd);
  if (reason == EWOULDBLOCK) return base::fail(ErrorCode::daemon_running, path);
  return base::fail(ErrorCode::file_unwritable, path + ": " + std::strerror(reason));
}

LockFile::~LockFile() {
  if (fd_ >= 0) ::close(fd_);
}

LockFile::LockFile(LockFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

}  // namespace dotkey::host::daemon
