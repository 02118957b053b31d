// SPDX-License-Identifier: Apache-2.0
#include "host/dns/udp_port.h"

#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "host/loop/socket_address.h"

namespace dotkey::host::dns {
namespace {

// A burst of a busy second waits here while a shard is elsewhere.
constexpr int socket_buffer_size = 4 << 20;
// Then the shard's other sockets have their turn.
constexpr int rounds_max = 4;

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

}  // namespace

base::IpAddress UdpPeer::ip() const {
  auto const endpoint = loop::endpoint_of(reinterpret_cast<sockaddr const*>(&address));
  return endpoint ? endpoint->address : base::IpAddress();
}

base::Result<std::unique_ptr<UdpPort>> UdpPort::open(base::Endpoint const& local, Poller& poller,
                                                     Service& service) {
  bool const v4 = local.address.is_v4();
  int const fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  auto const failure = [&] {
    auto error = base::fail(base::ErrorCode::network_socket_failed,
                            local.to_string() + " (UDP): " + std::strerror(errno));
    if (fd >= 0) ::close(fd);
    return error;
  };
  if (fd < 0) return failure();
  set_option(fd, SOL_SOCKET, SO_RCVBUF, socket_buffer_size);
  set_option(fd, SOL_SOCKET, SO_SNDBUF, socket_buffer_size);
  bool ready = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (!v4) ready = ready && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  // Never announce a path MTU below what the interface has: forged ICMP would have us fragment.
  if (v4) set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  if (local.address.is_unspecified()) {
    ready = ready && (v4 ? set_option(fd, IPPROTO_IP, IP_PKTINFO, 1)
                         : set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
  }
  auto const address = loop::socket_address_of(local);
  if (!ready || ::bind(fd, address.get(), address.size) != 0) return failure();
  sockaddr_storage bound{};
  socklen_t bound_size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &bound_size) != 0) return failure();
  auto const endpoint = loop::endpoint_of(reinterpret_cast<sockaddr const*>(&bound));
  if (!endpoint) return failure();
  std::unique_ptr<UdpPort> out(new UdpPort(fd, *endpoint, poller, service));
  if (!poller.add(fd, EPOLLIN, *out)) {
    return base::fail(base::ErrorCode::network_socket_failed, std::strerror(errno));
  }
  return out;
}

UdpPort::UdpPort(int fd, base::Endpoint const& local, Poller& poller, Service& service)
    : fd_(fd),
      local_(local),
      poller_(poller),
      service_(service),
      wants_control_(local.address.is_unspecified()) {
  for (std::size_t i = 0; i < batch_max; ++i) {
    in_vectors_[i] = {buffers_[i].data(), buffer_size};
    prepare(i);
  }
}

UdpPort::~UdpPort() {
  poller_.remove(fd_, *this);
  ::close(fd_);
}

void UdpPort::prepare(std::size_t slot) {
  in_[slot] = {};
  msghdr& header = in_[slot].msg_hdr;
  header.msg_name = &peers_[slot].address;
  header.msg_namelen = sizeof(sockaddr_storage);
  header.msg_iov = &in_vectors_[slot];
  header.msg_iovlen = 1;
  if (!wants_control_) return;
  header.msg_control = peers_[slot].control.data();
  header.msg_controllen = peers_[slot].control.size();
}

void UdpPort::on_ready(std::uint32_t) {
  for (int round = 0; round < rounds_max; ++round) {
    int const count = ::recvmmsg(fd_, in_.data(), batch_max, 0, nullptr);
    if (count <= 0) break;
    auto const received = static_cast<std::size_t>(count);
    std::size_t replies = 0;
    for (std::size_t i = 0; i < received; ++i) {
      UdpPeer& peer = peers_[i];
      msghdr& header = in_[i].msg_hdr;
      peer.address_size = header.msg_namelen;
      peer.control_size = wants_control_ ? header.msg_controllen : 0;
      bool const whole = (header.msg_flags & MSG_TRUNC) == 0;
      std::size_t const size =
          whole ? service_.on_datagram(*this, peer, buffers_[i], in_[i].msg_len) : 0;
      if (size > 0) {
        out_vectors_[replies] = {buffers_[i].data(), size};
        mmsghdr& reply = out_[replies];
        reply.msg_hdr = header;
        reply.msg_hdr.msg_iov = &out_vectors_[replies];
        reply.msg_hdr.msg_controllen = peer.control_size;
        reply.msg_hdr.msg_flags = 0;
        ++replies;
      }
      header.msg_namelen = sizeof(sockaddr_storage);
      if (wants_control_) header.msg_controllen = peer.control.size();
    }
    send_batch(replies);
    if (received < batch_max) break;
  }
}

void UdpPort::send_batch(std::size_t count) {
  for (std::size_t sent = 0; sent < count;) {
    int const done =
        ::sendmmsg(fd_, out_.data() + sent, static_cast<unsigned>(count - sent), MSG_DONTWAIT);
    if (done > 0) {
      sent += static_cast<std::size_t>(done);
      continue;
    }
    if (errno == EINTR) continue;
    ++unsent_;
    ++sent;  // this one the system will not take; the others it may
  }
}

void UdpPort::send(UdpPeer const& peer, base::ByteView message) {
  iovec vector{const_cast<std::uint8_t*>(message.data()), message.size()};
  auto control = peer.control;
  msghdr header{};
  header.msg_name = const_cast<sockaddr_storage*>(&peer.address);
  header.msg_namelen = peer.address_size;
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  if (peer.control_size > 0) {
    header.msg_control = control.data();
    header.msg_controllen = peer.control_size;
  }
  if (::sendmsg(fd_, &header, MSG_DONTWAIT) < 0) ++unsent_;
}

}  // namespace dotkey::host::dns
