// SPDX-License-Identifier: Apache-2.0
// The log of a daemon that no terminal shows: STATE_DIR/daemon.log holds its stderr, and
// daemon.log.1 what was before. Neither grows beyond log_size_max.
#pragma once

#include <string>
#include <vector>

namespace dotkey::host::native {

inline constexpr long log_size_max = 128L * 1024;
// Before the line that open_start_log() writes.
inline constexpr char start_mark[] = "-- ";

// STATE_DIR/daemon.log.
std::string log_path_in(std::string const& state_dir);

// Open for appending, mode 0600, with a line that says when; a full log is set aside first. -1: it
// cannot be written, or `path` is empty.
int open_start_log(std::string const& path);

// For the daemon itself, now and then: where its stderr is the log at `path` and that is full, it
// goes on in a new one. Nothing happens on a terminal.
void rotate_own_log(std::string const& path);

// The last lines of the log, the latest last; none where there is no log.
std::vector<std::string> last_log_lines(std::string const& path, std::size_t count);

}  // namespace dotkey::host::native
