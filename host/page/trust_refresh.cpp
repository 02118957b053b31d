// SPDX-License-Identifier: Apache-2.0
#include "host/page/trust_refresh.h"

#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/install/wanted_files.h"
#include "host/store/atomic_file.h"

extern char** environ;

namespace dotkey::host::page {
namespace {

int open_process(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

}  // namespace

TrustRefresh::TrustRefresh(boost::asio::io_context& loop, std::string program,
                           std::string state_dir)
    : program_(std::move(program)),
      state_dir_(std::move(state_dir)),
      process_(loop),
      timer_(loop) {}

TrustRefresh::~TrustRefresh() = default;

// Nobody's trust is changed who did not ask for it: `dotkey install` did, for one user or for all.
bool TrustRefresh::is_installed() const {
  install::Settings mine;
  mine.state_dir = state_dir_;
  install::Settings everybody;
  everybody.system = true;
  return store::exists(install::list_path_of(mine)) ||
         store::exists(install::list_path_of(everybody));
}

void TrustRefresh::start(OnDone on_done) {
  if (!is_installed()) return on_done(false);
  waiting_.push_back(std::move(on_done));
  if (!pid_ && !spawn()) return on_ended();
  timer_.expires_after(patience);
  timer_.async_wait([this](boost::system::error_code const& error) {
    if (!error) tell(false);
  });
}

bool TrustRefresh::spawn() {
  std::string arguments[] = {program_, "trust", "install", "--state-dir", state_dir_};
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (int const fd : {0, 1, 2}) {
    ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  }
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  pid_t pid = -1;
  int const error =
      ::posix_spawn(&pid, program_.c_str(), &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return false;
  int const fd = open_process(pid);
  if (fd < 0) {
    ::waitpid(pid, nullptr, 0);
    return false;
  }
  pid_ = pid;
  process_.assign(fd);
  process_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this](boost::system::error_code const& failed) {
                        if (!failed) on_ended();
                      });
  return true;
}

void TrustRefresh::on_ended() {
  int status = -1;
  if (pid_) ::waitpid(*pid_, &status, 0);
  pid_.reset();
  boost::system::error_code ignored;
  process_.close(ignored);
  timer_.cancel();
  tell(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void TrustRefresh::tell(bool complete) {
  for (OnDone const& on_done : std::exchange(waiting_, {})) on_done(complete);
}

}  // namespace dotkey::host::page
