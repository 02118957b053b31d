// SPDX-License-Identifier: Apache-2.0
// Where the daemon of a state directory listens, and who may be at the other end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/base/result.h"

#include "host/store/paths.h"

namespace dotkey::host::channel {

// In the order to try: in $XDG_RUNTIME_DIR/dotkey, then in the state directory. A daemon listens at
// the first; a client whose environment differs may find it at the second.
std::vector<std::string> socket_paths(store::Paths const& paths);

// The process at the other end of this Unix socket; absent: not known.
std::optional<pid_t> peer_process(int fd);

// True when the process at the other end of this Unix socket runs as our user.
bool is_own_user(int fd);

}  // namespace dotkey::host::channel
