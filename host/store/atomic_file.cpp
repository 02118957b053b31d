// SPDX-License-Identifier: Apache-2.0
#include "host/store/atomic_file.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dotkey::host::store {
namespace {

using base::ErrorCode;

// Closes on every way out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  // The result of close() matters once: some file systems report a full disk only here.
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

base::Failure system_failure(ErrorCode code, std::string const& path) {
  return base::fail(code, path + ": " + std::strerror(errno));
}

std::string directory_of(std::string const& path) {
  std::size_t const slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool write_all(int fd, base::ByteView content) {
  while (!content.empty()) {
    ssize_t const n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    content = content.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

base::Result<void> sync_directory(std::string const& path) {
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) {
    return system_failure(ErrorCode::file_unwritable, path);
  }
  return {};
}

// RENAME_NOREPLACE where the file system has it; else a hard link, which fails where the name
// exists.
base::Result<void> move_into_place(std::string const& temporary, std::string const& path,
                                   Existing existing) {
  bool moved = false;
  if (existing == Existing::replace) {
    moved = ::rename(temporary.c_str(), path.c_str()) == 0;
  } else {
    moved = ::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0;
    if (!moved && (errno == EINVAL || errno == ENOSYS)) {
      moved = ::link(temporary.c_str(), path.c_str()) == 0 && ::unlink(temporary.c_str()) == 0;
    }
  }
  if (moved) return {};
  if (errno == EEXIST) return base::fail(ErrorCode::file_exists, path);
  return system_failure(ErrorCode::file_unwritable, path);
}

// Hidden and in the same directory: rename() is atomic only within one file system.
std::string temporary_template(std::string const& path) {
  std::size_t const slash = path.rfind('/');
  std::size_t const name = slash == std::string::npos ? 0 : slash + 1;
  return path.substr(0, name) + "." + path.substr(name) + ".XXXXXX";
}

}  // namespace

base::Result<base::Bytes> read_file(std::string const& path, std::size_t size_max) {
  Descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_failure(ErrorCode::file_unreadable, path);
  base::Bytes out;
  for (;;) {
    std::size_t const before = out.size();
    out.resize(before + 4096);
    ssize_t const n = ::read(file.get(), out.data() + before, 4096);
    if (n < 0 && errno != EINTR) return system_failure(ErrorCode::file_unreadable, path);
    out.resize(before + static_cast<std::size_t>(n < 0 ? 0 : n));
    if (n == 0) return out;
    if (out.size() > size_max) {
      return base::fail(ErrorCode::file_unreadable,
                        path + ": larger than " + std::to_string(size_max) + " bytes");
    }
  }
}

base::Result<void> write_file(std::string const& path, base::ByteView content, unsigned mode,
                              Existing existing) {
  std::string temporary = temporary_template(path);
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // created with mode 0600
  if (file.get() < 0) return system_failure(ErrorCode::file_unwritable, path);
  bool const written = write_all(file.get(), content) &&
                       (mode == 0600 || ::fchmod(file.get(), mode) == 0) &&
                       ::fsync(file.get()) == 0 && file.close() == 0;
  auto const moved = written ? move_into_place(temporary, path, existing)
                             : system_failure(ErrorCode::file_unwritable, path);
  if (!moved) {
    ::unlink(temporary.c_str());
    return moved;
  }
  return sync_directory(directory_of(path));
}

base::Result<void> remove_file(std::string const& path) {
  if (::unlink(path.c_str()) != 0) return system_failure(ErrorCode::file_unwritable, path);
  return sync_directory(directory_of(path));
}

base::Result<void> create_private_directory(std::string const& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    std::string const part = path.substr(0, slash);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return system_failure(ErrorCode::file_unwritable, part);
    }
    if (slash == std::string::npos) break;
  }
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return system_failure(ErrorCode::file_unwritable, path);
  if (!S_ISDIR(status.st_mode)) {
    return base::fail(ErrorCode::file_unwritable, path + ": is not a directory");
  }
  return {};
}

base::Result<void> create_private_file(std::string const& path) {
  if (std::size_t const slash = path.rfind('/'); slash != std::string::npos && slash > 0) {
    if (auto made = create_private_directory(path.substr(0, slash)); !made) return made;
  }
  int const file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return system_failure(ErrorCode::file_unwritable, path);
  ::close(file);
  return {};
}

bool exists(std::string const& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace dotkey::host::store
