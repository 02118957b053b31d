// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/doctor_child.h"

#include <cerrno>
#include <csignal>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/json/parse.hpp>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace dotkey::host::daemon {
namespace {

constexpr std::size_t report_size_max = 512 * 1024;

}  // namespace

DoctorChild::DoctorChild(boost::asio::io_context& loop, std::string program, std::string state_dir)
    : program_(std::move(program)), state_dir_(std::move(state_dir)), output_(loop), timer_(loop) {}

DoctorChild::~DoctorChild() {
  if (!pid_) return;
  ::kill(*pid_, SIGKILL);
  ::waitpid(*pid_, nullptr, 0);
}

void DoctorChild::run(OnDone on_done) {
  waiting_.push_back(std::move(on_done));
  if (waiting_.size() > 1) return;
  text_.clear();
  if (!spawn()) return finish();
  timer_.expires_after(doctor_timeout);
  timer_.async_wait([this](boost::system::error_code const& error) {
    if (!error && pid_) ::kill(*pid_, SIGKILL);  // which ends its output
  });
  read();
}

bool DoctorChild::spawn() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  std::string arguments[] = {program_, "doctor", "--json", "--state-dir", state_dir_};
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  pid_t pid = -1;
  int const error =
      ::posix_spawn(&pid, program_.c_str(), &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    return false;
  }
  pid_ = pid;
  output_.assign(ends[0]);
  return true;
}

void DoctorChild::read() {
  output_.async_read_some(boost::asio::buffer(piece_), [this](auto const& error, std::size_t size) {
    if (error == boost::asio::error::operation_aborted) return;
    text_.append(piece_.data(), size);
    error || text_.size() > report_size_max ? finish() : read();
  });
}

void DoctorChild::finish() {
  timer_.cancel();
  boost::system::error_code ignored;
  output_.close(ignored);
  if (pid_) {
    // It has said all; nothing may keep us waiting here.
    ::kill(*pid_, SIGKILL);
    ::waitpid(*pid_, nullptr, 0);
    pid_.reset();
  }
  boost::system::error_code malformed;
  boost::json::value report = boost::json::parse(text_, malformed);
  base::Result<boost::json::object> result =
      base::fail(base::ErrorCode::install_child_failed, "doctor");
  if (!malformed && report.is_object()) result = std::move(report.get_object());
  for (OnDone const& on_done : std::exchange(waiting_, {})) on_done(result);
}

}  // namespace dotkey::host::daemon
