// SPDX-License-Identifier: Apache-2.0
#include "host/channel/channel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/channel/socket_path.h"
#include "host/loop/clock.h"

namespace dotkey::host::channel {

using base::ErrorCode;
using base::Result;

namespace {

std::sig_atomic_t volatile interrupted = 0;

void take_over_signals() {
  struct sigaction action{};
  action.sa_handler = [](int /*signal*/) { interrupted = 1; };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

// -1 when nobody of ours listens there.
int connect_to(std::string const& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return -1;
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  bool const connected =
      ::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0;
  if (connected && is_own_user(fd)) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

int connect_to_daemon(std::vector<std::string> const& socket_paths) {
  for (std::string const& path : socket_paths) {
    if (int const fd = connect_to(path); fd >= 0) return fd;
  }
  return -1;
}

Result<Channel> Channel::connect(store::Paths const& paths) {
  int const fd = connect_to_daemon(socket_paths(paths));
  if (fd < 0) return base::fail(ErrorCode::daemon_not_running);
  take_over_signals();
  return Channel(fd);
}

Channel::~Channel() {
  if (fd_ >= 0) ::close(fd_);
}

Channel::Channel(Channel&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      reader_(std::move(other.reader_)),
      last_id_(other.last_id_) {}

Result<void> Channel::wait_for(short events, engine::Instant deadline) const {
  // A signal between the look at the flag and poll() is seen a slice later.
  constexpr std::int64_t slice_ms = 200;
  for (;;) {
    if (interrupted != 0) return base::fail(ErrorCode::cancelled);
    auto const left_ms = (deadline - loop::now()).ms();
    if (left_ms <= 0) return base::fail(ErrorCode::network_timeout);
    pollfd entry{fd_, events, 0};
    if (::poll(&entry, 1, static_cast<int>(std::min(left_ms, slice_ms))) > 0) return {};
  }
}

Result<void> Channel::send(std::string_view frame, engine::Instant deadline) {
  while (!frame.empty()) {
    ssize_t const sent = ::send(fd_, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      frame.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (auto ready = wait_for(POLLOUT, deadline); !ready) return ready;
    } else if (errno != EINTR) {
      return base::fail(ErrorCode::daemon_gone, std::strerror(errno));
    }
  }
  return {};
}

Result<Message> Channel::ask(std::string_view op, boost::json::object body,
                             engine::Instant deadline,
                             std::function<void(Message const&)> const& on_event) {
  std::uint64_t const id = ++last_id_;
  auto const sent = send(encode_frame(encode_message(id, op, std::move(body))), deadline);
  if (!sent) return tl::make_unexpected(sent.error());
  std::array<std::uint8_t, 65'536> piece;
  for (;;) {
    while (auto const payload = reader_.next()) {
      Message message;
      if (parse_message(*payload, message)) continue;
      if (message.id == 0 && on_event) on_event(message);
      if (message.id != id) continue;
      return message;
    }
    if (reader_.is_broken()) return base::fail(ErrorCode::daemon_gone, "it sent no frame");
    if (auto ready = wait_for(POLLIN, deadline); !ready) {
      return tl::make_unexpected(ready.error());
    }
    ssize_t const size = ::recv(fd_, piece.data(), piece.size(), 0);
    if (size <= 0) return base::fail(ErrorCode::daemon_gone);
    reader_.append(base::ByteView(piece).first(static_cast<std::size_t>(size)));
  }
}

}  // namespace dotkey::host::channel
