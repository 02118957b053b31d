// SPDX-License-Identifier: Apache-2.0
#include "host/dns/upstream_stream.h"

#include <array>
#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/integers.h"

#include "host/loop/socket_address.h"

namespace dotkey::host::dns {

std::unique_ptr<UpstreamStream> UpstreamStream::open(Upstream const& server, TlsClient const* tls,
                                                     Poller& poller, Service& service) {
  bool const v4 = server.endpoint.address.is_v4();
  int const fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  int const on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto const address = loop::socket_address_of(server.endpoint);
  if (::connect(fd, address.get(), address.size) != 0 && errno != EINPROGRESS) {
    ::close(fd);
    return nullptr;
  }
  bool const has_tls =
      server.transport == bridge::Transport::tls || server.transport == bridge::Transport::https;
  TlsSession session;
  if (has_tls && tls != nullptr) session = tls->connect(fd, server);
  bool const failed = has_tls && !session;
  std::unique_ptr<UpstreamStream> out(
      new UpstreamStream(Stream(fd, std::move(session)), server, poller, service));
  out->events_ = EPOLLIN | EPOLLOUT;
  if (failed || !out->framing_ || !poller.add(fd, out->events_, *out)) return nullptr;
  return out;
}

UpstreamStream::UpstreamStream(Stream stream, Upstream const& server, Poller& poller,
                               Service& service)
    : stream_(std::move(stream)),
      server_(server),
      poller_(poller),
      service_(service),
      framing_(server.transport == bridge::Transport::https ? make_http2_client(server)
                                                            : make_length_client()) {}

UpstreamStream::~UpstreamStream() {
  if (is_open()) poller_.remove(stream_.fd(), *this);
}

void UpstreamStream::close() {
  if (!is_open()) return;
  poller_.remove(stream_.fd(), *this);
  stream_.close();
  service_.on_stream_closed(*this);
}

std::optional<std::uint64_t> UpstreamStream::submit(std::uint64_t lookup, base::ByteView query,
                                                    engine::Instant now) {
  if (!is_open() || waiting_.size() >= waiting_max) return std::nullopt;
  std::uint64_t const id = base::read_be<std::uint16_t>(query);
  bool const is_stream = server_.transport != bridge::Transport::https;
  if (is_stream && waiting_.contains(id)) return std::nullopt;
  auto const token = framing_->submit(query, out_);
  if (!token) return std::nullopt;
  waiting_[*token] = lookup;
  used_at_ = now;
  return token;
}

void UpstreamStream::forget(std::uint64_t token, std::uint64_t lookup) {
  auto const at = waiting_.find(token);
  if (at != waiting_.end() && at->second == lookup) waiting_.erase(at);
}

void UpstreamStream::on_reply(std::uint64_t token, base::ByteView message) {
  auto const at = waiting_.find(token);
  if (at == waiting_.end()) return;
  std::uint64_t const lookup = at->second;
  waiting_.erase(at);
  service_.on_stream_message(*this, lookup, message);
}

void UpstreamStream::on_ready(std::uint32_t events) {
  if ((events & EPOLLERR) != 0) return close();
  bool const may_read = (events & (EPOLLIN | EPOLLHUP)) != 0;
  if (may_read && !read()) return close();
  if (is_open()) flush();
}

// False: the other side is done with us.
bool UpstreamStream::read() {
  std::array<std::uint8_t, 16 * 1024> buffer;
  do {
    StreamResult const got = stream_.read(buffer);
    if (got.state == StreamState::blocked) return true;
    if (got.state == StreamState::closed) return false;
    if (!framing_->on_input(base::ByteView(buffer).first(got.size), *this)) return false;
  } while (is_open() && stream_.has_pending());
  return true;
}

void UpstreamStream::flush() {
  framing_->collect(out_);
  while (sent_ < out_.size()) {
    StreamResult const done = stream_.write(base::ByteView(out_).subspan(sent_));
    if (done.state == StreamState::closed) return close();
    if (done.state == StreamState::blocked) break;
    sent_ += done.size;
  }
  if (sent_ == out_.size()) {
    out_.clear();
    sent_ = 0;
  }
  // In a handshake it is TLS that says what it waits for.
  bool const wants_out = stream_.is_handshake_done() ? !out_.empty() : stream_.wants_write();
  std::uint32_t const wanted = EPOLLIN | (wants_out ? std::uint32_t{EPOLLOUT} : 0U);
  if (wanted == events_) return;
  events_ = wanted;
  if (!poller_.change(stream_.fd(), events_, *this)) close();
}

}  // namespace dotkey::host::dns
