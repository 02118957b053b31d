// SPDX-License-Identifier: Apache-2.0
#include "host/channel/socket_path.h"

#include <cstdlib>

#include <sys/socket.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/crypto/hash.h"

namespace dotkey::host::channel {

std::vector<std::string> socket_paths(store::Paths const& paths) {
  std::vector<std::string> out;
  char const* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/') {
    std::string name = "daemon";
    auto const standard = store::paths_from_environment();
    if (!standard || standard->state_dir != paths.state_dir) {
      auto const hash = crypto::blake2b({base::view_of(paths.state_dir)});
      name += "-" + base::encode_hex(base::ByteView(hash).first(8));
    }
    out.push_back(std::string(runtime) + "/dotkey/" + name + ".sock");
  }
  out.push_back(paths.state_dir + "/daemon.sock");
  return out;
}

namespace {

std::optional<ucred> peer_of(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  bool const known =
      ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer;
  return known ? std::optional(peer) : std::nullopt;
}

}  // namespace

std::optional<pid_t> peer_process(int fd) {
  auto const peer = peer_of(fd);
  return peer ? std::optional(peer->pid) : std::nullopt;
}

bool is_own_user(int fd) {
  auto const peer = peer_of(fd);
  return peer && peer->uid == ::geteuid();
}

}  // namespace dotkey::host::channel
