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
namespace {

// The kernel puts datagrams together again; it says so of those that came in pieces. Only the first
// piece has the ports and the id that a forger has to guess (RFC 5452 §4.4, RFC 9715).
void ask_about_fragments(int fd, bool v4) {
  int const on = 1;
  if (v4) {
    ::setsockopt(fd, IPPROTO_IP, IP_RECVFRAGSIZE, &on, sizeof on);
  } else {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_RECVFRAGSIZE, &on, sizeof on);
  }
}

bool came_in_fragments(msghdr& header) {
  for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr; at = CMSG_NXTHDR(&header, at)) {
    bool const v4 = at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVFRAGSIZE;
    bool const v6 = at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_RECVFRAGSIZE;
    if (v4 || v6) return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<UpstreamUdp> UpstreamUdp::open(base::Endpoint const& server, Poller& poller,
                                               Service& service) {
  bool const v4 = server.address.is_v4();
  int const fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  ask_about_fragments(fd, v4);
  // A forged ICMP message would have us send fragments.
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
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint32_t))> control;
  while (fd_ >= 0) {
    iovec vector{buffer.data(), buffer.size()};
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    ssize_t const size = ::recvmsg(fd_, &header, MSG_DONTWAIT);
    if (size < 0 && errno == ECONNREFUSED) return service_.on_udp_refused(*this);
    if (size < 0) return;
    service_.on_udp_message(*this, base::ByteView(buffer).first(static_cast<std::size_t>(size)),
                            came_in_fragments(header));
  }
}

}  // namespace dotkey::host::dns
