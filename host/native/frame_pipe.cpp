// SPDX-License-Identifier: Apache-2.0
#include "host/native/frame_pipe.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "host/channel/frame.h"

namespace dotkey::host::native {
namespace {

void make_non_blocking(int fd) {
  int const flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0) ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

// Where frames begin and end in a stream of bytes.
class FrameLengths {
 public:
  // False once a frame is announced that is longer than allowed.
  bool follow(std::span<std::uint8_t const> bytes) {
    while (!bytes.empty()) {
      if (body_left_ > 0) {
        std::size_t const n = std::min<std::size_t>(body_left_, bytes.size());
        body_left_ -= static_cast<std::uint32_t>(n);
        bytes = bytes.subspan(n);
        continue;
      }
      header_[header_size_++] = bytes.front();
      bytes = bytes.subspan(1);
      if (header_size_ < header_.size()) continue;
      std::memcpy(&body_left_, header_.data(), header_.size());  // native byte order, as browsers
      header_size_ = 0;
      if (body_left_ > channel::frame_size_max) return false;
    }
    return true;
  }

 private:
  std::array<std::uint8_t, 4> header_{};
  std::size_t header_size_ = 0;
  std::uint32_t body_left_ = 0;
};

class Direction {
 public:
  Direction(int from, int to) : from_(from), to_(to) {}

  [[nodiscard]] bool wants_input() const { return !ended_ && !broken_ && begin_ == end_; }
  [[nodiscard]] bool wants_output() const { return !broken_ && begin_ < end_; }
  // Nothing more comes, and all that came was passed on.
  [[nodiscard]] bool has_ended() const { return ended_ && begin_ == end_; }
  // Nobody reads at the other end.
  [[nodiscard]] bool is_broken() const { return broken_; }
  [[nodiscard]] bool is_oversized() const { return oversized_; }

  void receive() {
    ssize_t const n = ::read(from_, buffer_.data(), buffer_.size());
    if (n < 0 && would_block()) return;
    ended_ = n <= 0;
    begin_ = 0;
    end_ = n > 0 ? static_cast<std::size_t>(n) : 0;
    oversized_ = !lengths_.follow(std::span(buffer_).first(end_));
    if (oversized_) begin_ = end_ = 0;
    if (wants_output()) send();
  }

  void send() {
    ssize_t const n = ::write(to_, buffer_.data() + begin_, end_ - begin_);
    if (n > 0) begin_ += static_cast<std::size_t>(n);
    if (n < 0 && !would_block()) broken_ = true;
  }

 private:
  int from_;
  int to_;
  std::array<std::uint8_t, 64 * 1024> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  FrameLengths lengths_;
  bool ended_ = false;
  bool broken_ = false;
  bool oversized_ = false;
};

bool is_ready(pollfd const& entry) {
  return (entry.revents & ~POLLOUT) != 0;
}

short events_if(bool wanted, short events) {
  return wanted ? events : short{0};
}

}  // namespace

PipeEnd carry_frames(PipeEnds const& ends) {
  for (int const fd : {ends.from_browser, ends.to_browser, ends.daemon}) make_non_blocking(fd);
  Direction up(ends.from_browser, ends.daemon);
  Direction down(ends.daemon, ends.to_browser);
  for (;;) {
    if (up.is_oversized()) return PipeEnd::browser_frame_oversized;
    if (down.is_oversized()) return PipeEnd::daemon_frame_oversized;
    if (up.has_ended() || down.is_broken()) return PipeEnd::browser_gone;
    // A daemon that reads no more may still have said why.
    if (down.has_ended()) return PipeEnd::daemon_gone;
    // A hang-up is reported even where nothing is asked for; where it cannot be acted upon yet, it
    // must not spin: such an entry is left out.
    std::array<pollfd, 4> entries{{
        {up.wants_input() ? ends.from_browser : -1, POLLIN, 0},
        {down.wants_input() ? ends.daemon : -1, POLLIN, 0},
        {up.wants_output() ? ends.daemon : -1, POLLOUT, 0},
        {ends.to_browser, events_if(down.wants_output(), POLLOUT), 0},
    }};
    if (::poll(entries.data(), entries.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return PipeEnd::browser_gone;
    }
    if (entries[3].revents != 0 && is_ready(entries[3])) return PipeEnd::browser_gone;
    if (entries[2].revents != 0) up.send();
    if (entries[3].revents != 0) down.send();
    if (entries[0].revents != 0) up.receive();
    if (entries[1].revents != 0) down.receive();
  }
}

}  // namespace dotkey::host::native
