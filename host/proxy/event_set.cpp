// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/event_set.h"

#include "core/base/assert.h"

namespace dotkey::host::proxy {
namespace {

constexpr std::uint32_t all_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
// Then the loop's other work has its turn.
constexpr int rounds_max = 8;

}  // namespace

EventSet::EventSet(boost::asio::io_context& loop) : epoll_(loop) {
  int const fd = ::epoll_create1(EPOLL_CLOEXEC);
  DOTKEY_ASSERT(fd >= 0);
  epoll_.assign(fd);
  wait();
}

void EventSet::wait() {
  epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                    [this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
                      if (error || alive.expired()) return;
                      on_batch();
                      wait();
                    });
}

bool EventSet::add(int fd, Watcher& watcher) {
  epoll_event event{};
  event.events = all_events;
  event.data.ptr = &watcher;
  return ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void EventSet::move(int fd, Watcher& from, Watcher& to) {
  forget_pending(from);
  epoll_event event{};
  event.events = all_events;
  event.data.ptr = &to;
  DOTKEY_ASSERT(::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_MOD, fd, &event) == 0);
}

void EventSet::remove(int fd, Watcher& watcher) {
  forget_pending(watcher);
  ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
}

void EventSet::forget_pending(Watcher& watcher) {
  for (std::size_t i = 0; i < batch_size_; ++i) {
    if (batch_[i].data.ptr == &watcher) batch_[i].data.ptr = nullptr;
  }
}

void EventSet::on_batch() {
  for (int round = 0; round < rounds_max; ++round) {
    int const count = ::epoll_wait(epoll_.native_handle(), batch_.data(), batch_max, 0);
    if (count <= 0) return;
    batch_size_ = static_cast<std::size_t>(count);
    for (std::size_t i = 0; i < batch_size_; ++i) {
      if (auto* const watcher = static_cast<Watcher*>(batch_[i].data.ptr); watcher != nullptr) {
        watcher->on_ready(batch_[i].events);
      }
    }
    batch_size_ = 0;
  }
}

}  // namespace dotkey::host::proxy
