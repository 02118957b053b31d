// SPDX-License-Identifier: Apache-2.0
// Carries native-messaging frames between a browser's pipes and the daemon's socket. It reads the
// length of each frame and nothing of what is in it.
#pragma once

#include <cstdint>

namespace dotkey::host::native {

// Owned by the caller; made non-blocking.
struct PipeEnds {
  int from_browser = 0;
  int to_browser = 1;
  int daemon = -1;  // a connected stream socket
};

enum class PipeEnd : std::uint8_t {
  browser_gone,
  daemon_gone,
  browser_frame_oversized,
  daemon_frame_oversized,
};

// Returns when either side has ended, after what it had sent was passed on as far as the other side
// took it. Memory is bounded: a side that does not read stops the other.
PipeEnd carry_frames(PipeEnds const& ends);

}  // namespace dotkey::host::native
