// SPDX-License-Identifier: Apache-2.0
// Whose socket is at the other end of a loopback connection (sock_diag(7)).
#pragma once

#include <optional>

#include <sys/types.h>

namespace dotkey::host::proxy {

class PeerUser {
 public:
  PeerUser();
  ~PeerUser();
  PeerUser(PeerUser const&) = delete;
  PeerUser& operator=(PeerUser const&) = delete;

  // The owner of the socket that is connected to `fd`, a TCP socket of this machine. Absent: the
  // kernel does not know such a socket, or does not answer.
  std::optional<uid_t> owner_of_peer(int fd);

 private:
  int netlink_;
};

}  // namespace dotkey::host::proxy
