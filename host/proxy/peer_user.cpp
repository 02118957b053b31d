// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/peer_user.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dotkey::host::proxy {
namespace {

struct Address {
  std::array<std::uint8_t, 16> bytes{};
  std::uint16_t port_be = 0;
  std::uint8_t family = 0;
};

template <class Name>
std::optional<Address> address_by(Name name, int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (name(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return std::nullopt;
  Address address;
  if (storage.ss_family == AF_INET) {
    auto const& v4 = reinterpret_cast<sockaddr_in const&>(storage);
    address.family = AF_INET;
    address.port_be = v4.sin_port;
    std::memcpy(address.bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
    return address;
  }
  if (storage.ss_family != AF_INET6) return std::nullopt;
  auto const& v6 = reinterpret_cast<sockaddr_in6 const&>(storage);
  address.family = AF_INET6;
  address.port_be = v6.sin6_port;
  std::memcpy(address.bytes.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
  return address;
}

struct Request {
  nlmsghdr header;
  inet_diag_req_v2 body;
};

}  // namespace

PeerUser::PeerUser() : netlink_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {
  timeval const patience{1, 0};  // the kernel answers within the send; never hang on it
  if (netlink_ >= 0) ::setsockopt(netlink_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

PeerUser::~PeerUser() {
  if (netlink_ >= 0) ::close(netlink_);
}

std::optional<uid_t> PeerUser::owner_of_peer(int fd) {
  auto const theirs = address_by(&::getpeername, fd);
  auto const ours = address_by(&::getsockname, fd);
  if (netlink_ < 0 || !theirs || !ours) return std::nullopt;
  Request request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.body.sdiag_family = theirs->family;
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = ~0U;
  // Their socket: it is the one whose source is our peer.
  request.body.id.idiag_sport = theirs->port_be;
  request.body.id.idiag_dport = ours->port_be;
  std::memcpy(request.body.id.idiag_src, theirs->bytes.data(), theirs->bytes.size());
  std::memcpy(request.body.id.idiag_dst, ours->bytes.data(), ours->bytes.size());
  request.body.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
  request.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (::send(netlink_, &request, sizeof request, 0) != sizeof request) return std::nullopt;

  alignas(nlmsghdr) std::array<char, 4096> answer{};
  ssize_t const size = ::recv(netlink_, answer.data(), answer.size(), 0);
  constexpr std::size_t wanted = NLMSG_LENGTH(sizeof(inet_diag_msg));
  if (size < static_cast<ssize_t>(wanted)) return std::nullopt;
  nlmsghdr header{};
  std::memcpy(&header, answer.data(), sizeof header);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len < wanted) return std::nullopt;
  inet_diag_msg found{};
  std::memcpy(&found, answer.data() + NLMSG_HDRLEN, sizeof found);
  bool const same =
      found.id.idiag_sport == theirs->port_be && found.id.idiag_dport == ours->port_be;
  if (!same) return std::nullopt;
  return found.idiag_uid;
}

}  // namespace dotkey::host::proxy
