// SPDX-License-Identifier: Apache-2.0
#include "host/dns/stream_port.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/loop/socket_address.h"

namespace dotkey::host::dns {
namespace {

constexpr int backlog = 1024;
// Then the shard's other sockets have their turn.
constexpr int accepts_max = 64;

bool set_flag(int fd, int level, int name) {
  int const on = 1;
  return ::setsockopt(fd, level, name, &on, sizeof on) == 0;
}

int open_spare() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

base::Result<std::unique_ptr<StreamPort>> StreamPort::open(base::Endpoint const& local,
                                                           bridge::Transport transport,
                                                           Poller& poller, Service& service) {
  bool const v4 = local.address.is_v4();
  int const fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  auto const failure = [&] {
    auto error = base::fail(base::ErrorCode::network_socket_failed,
                            local.to_string() + " (TCP): " + std::strerror(errno));
    if (fd >= 0) ::close(fd);
    return error;
  };
  if (fd < 0) return failure();
  bool ready = set_flag(fd, SOL_SOCKET, SO_REUSEADDR) && set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
  if (!v4) ready = ready && set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);
  auto const address = loop::socket_address_of(local);
  ready = ready && ::bind(fd, address.get(), address.size) == 0 && ::listen(fd, backlog) == 0;
  if (!ready) return failure();
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return failure();
  auto const endpoint = loop::endpoint_of(reinterpret_cast<sockaddr const*>(&bound));
  if (!endpoint) return failure();
  std::unique_ptr<StreamPort> out(new StreamPort(fd, *endpoint, transport, poller, service));
  if (!poller.add(fd, EPOLLIN, *out)) {
    return base::fail(base::ErrorCode::network_socket_failed, std::strerror(errno));
  }
  return out;
}

StreamPort::StreamPort(int fd, base::Endpoint const& local, bridge::Transport transport,
                       Poller& poller, Service& service)
    : fd_(fd),
      spare_(open_spare()),
      local_(local),
      transport_(transport),
      poller_(poller),
      service_(service) {}

StreamPort::~StreamPort() {
  poller_.remove(fd_, *this);
  ::close(fd_);
  if (spare_ >= 0) ::close(spare_);
}

// With no descriptor free the connection stays in the queue, and epoll would wake us for ever.
void StreamPort::turn_away() {
  if (spare_ >= 0) ::close(spare_);
  int const fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) ::close(fd);
  spare_ = open_spare();
}

void StreamPort::on_ready(std::uint32_t) {
  for (int i = 0; i < accepts_max; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    int const fd =
        ::accept4(fd_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE) turn_away();
      return;
    }
    auto const endpoint = loop::endpoint_of(reinterpret_cast<sockaddr const*>(&peer));
    if (!endpoint) {
      ::close(fd);
      continue;
    }
    set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
    service_.on_accepted(*this, fd, endpoint->address);
  }
}

}  // namespace dotkey::host::dns
