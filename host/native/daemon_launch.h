// SPDX-License-Identifier: Apache-2.0
// Reaches the daemon of this user, and starts it where none runs.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace dotkey::host::native {

struct LaunchSettings {
  std::vector<std::string> socket_paths;  // in the order to try
  // What to run: an absolute path and its arguments.
  std::vector<std::string> command;
  // Where its stderr goes (see start_log.h). Without it, or where it cannot be written, nowhere.
  std::string log_path;
  std::chrono::milliseconds patience{9'000};
  // Given up silently when this ends (the browser's pipe); -1: nothing is watched.
  int watched_fd = -1;
};

// A connected socket. The daemon that it starts belongs to no terminal and no browser: a session
// of its own, no files of ours, and it lives on when this process ends. Two that start one at the
// same time are both served by the one that wins. Errors: daemon_not_started, with what the program
// said last in the detail; cancelled when `watched_fd` has ended.
base::Result<int> connect_or_start(LaunchSettings const& settings);

// Sets $XDG_RUNTIME_DIR where it is missing and the system has such a directory for this user:
// started from a desktop, a browser may not know where its user's sockets are, and the daemon that
// a terminal started does. Call it before there are threads.
void find_runtime_directory();

// The path of the program that runs now. Empty: not known.
std::string own_program();

}  // namespace dotkey::host::native
