// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/connector.h"

#include <algorithm>
#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/assert.h"

#include "host/loop/socket_address.h"

namespace dotkey::host::proxy {

std::vector<base::IpAddress> interleave_families(std::vector<base::IpAddress> const& addresses) {
  std::vector<base::IpAddress> v6;
  std::vector<base::IpAddress> v4;
  for (base::IpAddress const& address : addresses) (address.is_v4() ? v4 : v6).push_back(address);
  std::vector<base::IpAddress> mixed;
  for (std::size_t i = 0; i < std::max(v4.size(), v6.size()); ++i) {
    if (i < v6.size()) mixed.push_back(v6[i]);
    if (i < v4.size()) mixed.push_back(v4[i]);
  }
  if (mixed.size() > connect_addresses_max) mixed.resize(connect_addresses_max);
  return mixed;
}

Connector::Connector(boost::asio::io_context& loop, EventSet& events)
    : events_(events), stagger_(loop) {}

Connector::~Connector() {
  while (!attempts_.empty()) drop(attempts_.front(), true);
}

void Connector::start(std::vector<base::IpAddress> const& addresses, std::uint16_t port,
                      OnDone on_done) {
  on_done_ = std::move(on_done);
  for (base::IpAddress const& address : interleave_families(addresses)) {
    waiting_.push_back({address, port});
  }
  std::reverse(waiting_.begin(), waiting_.end());
  try_next();
}

// Begins the next attempt; the one after it follows when this one fails or takes its time.
void Connector::try_next() {
  while (!waiting_.empty()) {
    base::Endpoint const endpoint = waiting_.back();
    waiting_.pop_back();
    if (begin(endpoint)) break;
  }
  if (attempts_.empty()) return finish(std::nullopt);
  if (waiting_.empty()) return;
  stagger_.expires_after(connection_attempt_delay);
  stagger_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
    if (!error && !alive.expired() && on_done_) try_next();
  });
}

bool Connector::begin(base::Endpoint const& endpoint) {
  int const family = endpoint.address.is_v4() ? AF_INET : AF_INET6;
  int const fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  int const on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  loop::SocketAddress const address = loop::socket_address_of(endpoint);
  if (::connect(fd, address.get(), address.size) != 0 && errno != EINPROGRESS) {
    ::close(fd);
    return false;
  }
  Attempt& attempt = attempts_.emplace_back(*this, fd, endpoint);
  if (events_.add(fd, attempt)) return true;
  ::close(fd);
  attempts_.pop_back();
  return false;
}

void Connector::on_attempt(Attempt& attempt, std::uint32_t events) {
  if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
  int error = 0;
  socklen_t size = sizeof error;
  bool const failed =
      ::getsockopt(attempt.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0;
  if (failed || (events & (EPOLLERR | EPOLLHUP)) != 0) {
    drop(attempt, true);
    stagger_.cancel();
    return try_next();
  }
  Connected const connected{attempt.fd, attempt.endpoint};
  drop(attempt, false);
  finish(connected);
}

void Connector::drop(Attempt& attempt, bool close_socket) {
  events_.remove(attempt.fd, attempt);
  if (close_socket) ::close(attempt.fd);
  attempts_.remove_if([&attempt](Attempt const& a) { return &a == &attempt; });
}

void Connector::finish(std::optional<Connected> connected) {
  stagger_.cancel();
  waiting_.clear();
  while (!attempts_.empty()) drop(attempts_.front(), true);
  OnDone const on_done = std::move(on_done_);
  DOTKEY_ASSERT(on_done);
  on_done(connected);  // `this` may be gone now
}

}  // namespace dotkey::host::proxy
