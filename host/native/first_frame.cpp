// SPDX-License-Identifier: Apache-2.0
#include "host/native/first_frame.h"

#include <array>
#include <cerrno>

#include <poll.h>
#include <unistd.h>

#include "host/channel/frame.h"
#include "host/channel/message.h"

namespace dotkey::host::native {
namespace {

// It was sent as soon as we were started, and is there by now.
constexpr int patience_ms = 1'000;

bool wait_until_ready(int fd, short events) {
  pollfd entry{fd, events, 0};
  return ::poll(&entry, 1, patience_ms) == 1;
}

}  // namespace

std::uint64_t read_first_id(int fd) {
  channel::FrameReader reader;
  std::array<std::uint8_t, 4096> piece{};
  while (wait_until_ready(fd, POLLIN)) {
    ssize_t const n = ::read(fd, piece.data(), piece.size());
    if (n <= 0) return 0;
    reader.append(base::ByteView(piece).first(static_cast<std::size_t>(n)));
    if (reader.is_broken()) return 0;
    auto const payload = reader.next();
    channel::Message message;
    if (!payload) continue;
    return channel::parse_message(*payload, message) ? 0 : message.id;
  }
  return 0;
}

void write_frame(int fd, std::string_view payload) {
  std::string const frame = channel::encode_frame(payload);
  std::string_view rest = frame;
  while (!rest.empty() && wait_until_ready(fd, POLLOUT)) {
    ssize_t const n = ::write(fd, rest.data(), rest.size());
    if (n < 0 && errno != EINTR && errno != EAGAIN) return;
    if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace dotkey::host::native
