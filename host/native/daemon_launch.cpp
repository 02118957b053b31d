// SPDX-License-Identifier: Apache-2.0
#include "host/native/daemon_launch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/channel/channel.h"
#include "host/native/start_log.h"

extern char** environ;

namespace dotkey::host::native {
namespace {

using base::ErrorCode;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds retry_interval{25};

// What a browser sets for itself is not for the daemon, least of all its own libraries.
bool is_of_the_browser(std::string_view variable) {
  for (std::string_view const prefix : {"LD_", "MOZ_", "CHROME_", "GOOGLE_", "G_"}) {
    if (variable.starts_with(prefix)) return true;
  }
  return false;
}

class SpawnParts {
 public:
  explicit SpawnParts(int log) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (log >= 0) {
      ::posix_spawn_file_actions_adddup2(&actions, log, 2);
    } else {
      ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    }
    ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    ::posix_spawn_file_actions_addchdir_np(&actions, "/");
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnParts() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnParts(SpawnParts const&) = delete;
  SpawnParts& operator=(SpawnParts const&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

// Absent: it could not even be started.
std::optional<pid_t> spawn(std::vector<std::string> const& command, int log) {
  std::vector<char*> arguments;
  for (std::string const& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  std::vector<char*> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (!is_of_the_browser(*entry)) environment.push_back(*entry);
  }
  environment.push_back(nullptr);
  SpawnParts const parts(log);
  pid_t pid = -1;
  int const error = ::posix_spawn(&pid, arguments[0], &parts.actions, &parts.attributes,
                                  arguments.data(), environment.data());
  if (error != 0) return std::nullopt;
  return pid;
}

// What it wrote since the file had `start` bytes. Others that start at the same time write there
// too.
std::vector<std::string> words_since(int log, off_t start) {
  std::array<char, 4096> text{};
  off_t const size = ::lseek(log, 0, SEEK_END);
  off_t const begin = std::max<off_t>(start, size - static_cast<off_t>(text.size()));
  ssize_t const n = ::pread(log, text.data(), text.size(), begin);
  std::vector<std::string> lines;
  std::string_view rest(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  while (!rest.empty()) {
    std::size_t const end = std::min(rest.find('\n'), rest.size());
    std::string_view const line = rest.substr(0, end);
    if (!line.empty() && !line.starts_with(start_mark)) lines.emplace_back(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

bool is_another_running(std::vector<std::string> const& words) {
  return std::any_of(words.begin(), words.end(), [](std::string const& line) {
    return line.starts_with(base::slug_of(ErrorCode::daemon_running));
  });
}

bool has_ended(int fd) {
  pollfd entry{fd, 0, 0};
  return fd >= 0 && ::poll(&entry, 1, 0) == 1 && (entry.revents & (POLLHUP | POLLERR)) != 0;
}

bool has_exited(pid_t pid) {
  return ::waitpid(pid, nullptr, WNOHANG) == pid;
}

void wait_a_moment(int watched_fd) {
  pollfd entry{watched_fd, 0, 0};
  ::poll(&entry, watched_fd >= 0 ? 1 : 0, static_cast<int>(retry_interval.count()));
}

}  // namespace

base::Result<int> connect_or_start(LaunchSettings const& settings) {
  if (int const fd = channel::connect_to_daemon(settings.socket_paths); fd >= 0) return fd;
  int log = open_start_log(settings.log_path);
  if (log < 0) log = ::memfd_create("dotkey-daemon-start", MFD_CLOEXEC);
  off_t const start = ::lseek(log, 0, SEEK_END);
  std::optional<pid_t> const pid = spawn(settings.command, log);
  Clock::time_point deadline = Clock::now() + settings.patience;
  bool exited = !pid.has_value();
  if (exited) deadline = Clock::now();
  int fd = -1;
  while ((fd = channel::connect_to_daemon(settings.socket_paths)) < 0 && Clock::now() < deadline) {
    if (has_ended(settings.watched_fd)) break;
    if (!exited && has_exited(*pid)) {
      exited = true;
      // Another one was faster and will listen soon; any other reason will not go away.
      if (!is_another_running(words_since(log, start))) break;
    }
    wait_a_moment(settings.watched_fd);
  }
  std::vector<std::string> const words = words_since(log, start);
  ::close(log);
  if (fd >= 0) return fd;
  if (has_ended(settings.watched_fd)) return base::fail(ErrorCode::cancelled);
  return base::fail(ErrorCode::daemon_not_started,
                    words.empty() ? settings.command[0] : words.back());
}

void find_runtime_directory() {
  std::string const directory = "/run/user/" + std::to_string(::geteuid());
  struct stat facts{};
  bool const usable = ::stat(directory.c_str(), &facts) == 0 && facts.st_uid == ::geteuid();
  if (usable) ::setenv("XDG_RUNTIME_DIR", directory.c_str(), 0);
}

std::string own_program() {
  std::array<char, 4096> path{};
  ssize_t const n = ::readlink("/proc/self/exe", path.data(), path.size());
  if (n <= 0 || static_cast<std::size_t>(n) == path.size()) return {};
  std::string program(path.data(), static_cast<std::size_t>(n));
  // A program that was replaced while it runs: the new one has its place.
  constexpr std::string_view deleted = " (deleted)";
  if (program.ends_with(deleted)) program.resize(program.size() - deleted.size());
  return program;
}

}  // namespace dotkey::host::native
