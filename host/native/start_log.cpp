// SPDX-License-Identifier: Apache-2.0
#include "host/native/start_log.h"

#include <algorithm>
#include <ctime>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/store/atomic_file.h"

namespace dotkey::host::native {
namespace {

bool is_full(int fd) {
  struct stat facts{};
  return ::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size >= log_size_max;
}

bool is_same_file(int fd, std::string const& path) {
  struct stat open_file{};
  struct stat named{};
  return ::fstat(fd, &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

int open_log(std::string const& path) {
  return ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int set_aside(std::string const& path) {
  std::string const before = path + ".1";
  ::rename(path.c_str(), before.c_str());
  return open_log(path);
}

}  // namespace

std::string log_path_in(std::string const& state_dir) {
  return state_dir + "/daemon.log";
}

int open_start_log(std::string const& path) {
  if (path.empty()) return -1;
  if (!store::create_private_directory(path.substr(0, path.rfind('/')))) return -1;
  int fd = open_log(path);
  if (fd >= 0 && is_full(fd)) {
    ::close(fd);
    fd = set_aside(path);
  }
  if (fd < 0) return -1;
  std::time_t const now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char when[32];
  std::size_t const size = std::strftime(when, sizeof when, "%F %T UTC", &parts);
  std::string const line = start_mark + std::string(when, size) + ": starting\n";
  if (::write(fd, line.data(), line.size()) < 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

void rotate_own_log(std::string const& path) {
  if (!is_full(STDERR_FILENO) || !is_same_file(STDERR_FILENO, path)) return;
  int const fd = set_aside(path);
  if (fd < 0) return;
  ::dup2(fd, STDERR_FILENO);
  ::close(fd);
}

std::vector<std::string> last_log_lines(std::string const& path, std::size_t count) {
  auto const text = store::read_file(path, static_cast<std::size_t>(2 * log_size_max));
  std::vector<std::string> lines;
  if (!text) return lines;
  std::string_view rest = base::text_of(*text);
  while (rest.ends_with('\n')) rest.remove_suffix(1);
  while (!rest.empty() && lines.size() < count) {
    std::size_t const line = rest.rfind('\n');
    lines.emplace_back(line == std::string_view::npos ? rest : rest.substr(line + 1));
    rest = rest.substr(0, line == std::string_view::npos ? 0 : line);
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

}  // namespace dotkey::host::native
