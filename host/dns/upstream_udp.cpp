// SPDX-License-Identifier: Apache-2.0
#include "host/dns/upstream_udp.h"

#include <array>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/loop/socket_address.h"

namespace dotkey::host::dns {

std::unique_ptr<UpstreamUdp> UpstreamUdp::open(base::Endpoint const& server, Poller& poller,
                                               Service& service) {
  bool const v4 = server.address.is_v4();
  int const fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  // Fragments can be forged in part: none are sent, and what comes in pieces was not asked for.
  if (v4) {
    int const mode = IP_PMTUDISC_OMIT;
    ::setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &mode, sizeof mode);
  }
  std::unique_ptr<UpstreamUdp> out(new UpstreamUdp(fd, server, poller, service));
  auto const address = loop::socket_address_of(server);
  bool const ready =
      ::connect(fd, address.get(), address.size) == 0 && poller.add(fd, EPOLLIN, *out);
  if (!ready) return nullptr;
  return out;
}

UpstreamUdp::~UpstreamUdp() {
  close();
}

void UpstreamUdp::close() {
  if (fd_ < 0) return;
  poller_.remove(fd_, *this);
  ::close(std::exchange(fd_, -1));
}

bool UpstreamUdp::send(base::ByteView message) {
  return ::send(fd_, message.data(), message.size(), MSG_DONTWAIT) >= 0;
}

void UpstreamUdp::on_ready(std::uint32_t) {
  std::array<std::uint8_t, 4096> buffer;
  while (fd_ >= 0) {
    ssize_t const size = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && errno == ECONNREFUSED) return service_.on_udp_refused(*this);
    if (size < 0) return;
    service_.on_udp_message(*this, base::ByteView(buffer).first(static_cast<std::size_t>(size)));
  }
}

}  // namespace dotkey::host::dns
