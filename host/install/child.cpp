// SPDX-License-Identifier: Apache-2.0
#include "host/install/child.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace dotkey::host::install {
namespace {

using Clock = std::chrono::steady_clock;

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
  }
  ~Pipe() {
    close_writer();
    if (ends_[0] >= 0) ::close(ends_[0]);
  }
  Pipe(Pipe const&) = delete;
  Pipe& operator=(Pipe const&) = delete;

  [[nodiscard]] int reader() const { return ends_[0]; }
  [[nodiscard]] int writer() const { return ends_[1]; }
  void close_writer() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// False once this pipe has ended.
bool drain(int fd, std::string& text) {
  std::array<char, 4096> buffer{};
  ssize_t const n = ::read(fd, buffer.data(), buffer.size());
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  if (text.size() < child_output_size_max) text.append(buffer.data(), static_cast<std::size_t>(n));
  return n > 0;
}

// False when the deadline came first.
bool read_all(int out_fd, int err_fd, ChildOutput& output, Clock::time_point deadline) {
  std::array<pollfd, 2> entries{{{out_fd, POLLIN, 0}, {err_fd, POLLIN, 0}}};
  while (entries[0].fd >= 0 || entries[1].fd >= 0) {
    auto const left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    if (::poll(entries.data(), entries.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
      return false;
    }
    if (entries[0].revents != 0 && !drain(out_fd, output.out)) entries[0].fd = -1;
    if (entries[1].revents != 0 && !drain(err_fd, output.err)) entries[1].fd = -1;
  }
  return true;
}

}  // namespace

base::Result<ChildOutput> run_child(std::vector<std::string> const& command,
                                    std::chrono::milliseconds patience) {
  std::vector<char*> arguments;
  for (std::string const& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  Pipe out;
  Pipe err;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.writer(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, err.writer(), 2);
  pid_t pid = -1;
  int const error = ::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return base::fail(base::ErrorCode::install_child_failed,
                      command[0] + ": " + std::strerror(error));
  }
  out.close_writer();
  err.close_writer();
  ChildOutput output;
  if (!read_all(out.reader(), err.reader(), output, Clock::now() + patience)) {
    ::kill(pid, SIGKILL);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

}  // namespace dotkey::host::install
