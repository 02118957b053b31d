// SPDX-License-Identifier: Apache-2.0
#include "host/store/allowed_keys.h"

#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/names/public_key.h"

#include "host/store/atomic_file.h"

namespace dotkey::host::store {
namespace {

// One change of a directory at a time, among all processes.
class DirectoryLock {
 public:
  explicit DirectoryLock(std::string const& directory)
      : fd_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ >= 0) ::flock(fd_, LOCK_EX);
  }
  ~DirectoryLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  DirectoryLock(DirectoryLock const&) = delete;
  DirectoryLock& operator=(DirectoryLock const&) = delete;

 private:
  int fd_;
};

}  // namespace

AllowedKeys::AllowedKeys(std::string path) : path_(std::move(path)) {
  reload();
}

void AllowedKeys::reload() {
  keys_.clear();
  auto const file = read_file(path_, keys_max * (names::key_text_size + 1));
  if (!file) return;
  std::string_view text = base::text_of(*file);
  while (!text.empty()) {
    std::size_t const end = std::min(text.find('\n'), text.size());
    if (auto const key = names::parse_bare_public_key(text.substr(0, end))) keys_.insert(*key);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

base::Result<void> AllowedKeys::set(crypto::PublicKey const& key, bool allowed) {
  std::string const directory = path_.substr(0, path_.rfind('/'));
  if (auto made = create_private_directory(directory); !made) return made;
  DirectoryLock const lock(directory);
  reload();  // others may have changed it
  auto changed = keys_;
  if (allowed) {
    changed.insert(key);
    if (changed.size() > keys_max) return base::fail(base::ErrorCode::number_out_of_range, path_);
  } else {
    changed.erase(key);
  }
  if (changed == keys_) return {};
  std::string text;
  for (auto const& one : changed) text += names::format_public_key(one) + "\n";
  auto written = write_file(path_, base::view_of(text), 0600, Existing::replace);
  if (written) keys_ = std::move(changed);
  return written;
}

}  // namespace dotkey::host::store
