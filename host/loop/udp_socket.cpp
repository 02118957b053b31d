// SPDX-License-Identifier: Apache-2.0
#include "host/loop/udp_socket.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

#include "host/loop/socket_address.h"

namespace dotkey::host::loop {
namespace {

using base::ErrorCode;
using boost::asio::ip::udp;

constexpr std::size_t batch_datagrams = 16;
constexpr std::size_t datagram_size_max = 2048;  // no KRPC message is larger; a cut one is dropped
// Datagrams taken before other sockets and timers get their turn.
constexpr int batches_per_turn = 16;
constexpr int receive_buffer_bytes = 1 << 20;

}  // namespace

base::Result<std::unique_ptr<UdpSocket>> UdpSocket::open(boost::asio::io_context& loop,
                                                         base::Endpoint const& local) {
  std::unique_ptr<UdpSocket> out(new UdpSocket(loop));
  auto& socket = out->socket_;
  boost::system::error_code error;
  socket.open(local.address.is_v4() ? udp::v4() : udp::v6(), error);
  if (!error && !local.address.is_v4()) socket.set_option(boost::asio::ip::v6_only(true), error);
  if (!error) socket.non_blocking(true, error);
  auto const address = socket_address_of(local);
  if (!error && ::bind(socket.native_handle(), address.get(), address.size) != 0) {
    error = boost::system::error_code(errno, boost::system::system_category());
  }
  udp::endpoint bound;
  if (!error) bound = socket.local_endpoint(error);
  if (error) {
    return base::fail(ErrorCode::network_socket_failed, local.to_string() + ": " + error.message());
  }
  out->port_ = bound.port();
  // More room for bursts; the system may grant less, which is no error.
  socket.set_option(boost::asio::socket_base::receive_buffer_size(receive_buffer_bytes), error);
  return out;
}

void UdpSocket::start(OnDatagram on_datagram) {
  on_datagram_ = std::move(on_datagram);
  wait();
}

void UdpSocket::wait() {
  socket_.async_wait(udp::socket::wait_read, [this](boost::system::error_code const& error) {
    if (error) return;  // cancelled: this object is gone
    receive_waiting();
    wait();
  });
}

void UdpSocket::receive_waiting() {
  std::array<std::array<std::uint8_t, datagram_size_max>, batch_datagrams> buffers;
  std::array<sockaddr_storage, batch_datagrams> sources;
  std::array<iovec, batch_datagrams> vectors;
  std::array<mmsghdr, batch_datagrams> messages;
  for (int batch = 0; batch < batches_per_turn; ++batch) {
    for (std::size_t i = 0; i < batch_datagrams; ++i) {
      vectors[i] = {buffers[i].data(), buffers[i].size()};
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &sources[i];
      messages[i].msg_hdr.msg_namelen = sizeof sources[i];
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    int const count = ::recvmmsg(socket_.native_handle(), messages.data(), batch_datagrams,
                                 MSG_DONTWAIT, nullptr);
    if (count < 0 && errno == EINTR) continue;
    // A socket reports an ICMP error of an earlier send here, once; the next read goes on.
    if (count < 0 && errno != EAGAIN) continue;
    if (count <= 0) return;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      if ((messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) continue;
      auto const from = endpoint_of(reinterpret_cast<sockaddr const*>(&sources[i]));
      if (from && from->port != 0) {
        on_datagram_(*from, base::ByteView(buffers[i].data(), messages[i].msg_len));
      }
    }
    if (static_cast<std::size_t>(count) < batch_datagrams) return;
  }
}

bool UdpSocket::send(base::Endpoint const& to, base::ByteView payload) {
  auto const address = socket_address_of(to);
  ssize_t sent = -1;
  do {
    sent = ::sendto(socket_.native_handle(), payload.data(), payload.size(),
                    MSG_DONTWAIT | MSG_NOSIGNAL, address.get(), address.size);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

bool has_route(base::IpFamily family) {
  bool const v4 = family == base::IpFamily::v4;
  // connect() of a UDP socket asks the routing table and sends nothing.
  auto const target = base::Endpoint::parse(v4 ? "192.0.32.8:53" : "[2620:0:2d0:200::8]:53");
  auto const address = socket_address_of(*target);
  int const fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  bool const routed = ::connect(fd, address.get(), address.size) == 0;
  ::close(fd);
  return routed;
}

}  // namespace dotkey::host::loop
