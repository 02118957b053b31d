// SPDX-License-Identifier: Apache-2.0
#include "host/dns/poller.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace dotkey::host::dns {
namespace {

constexpr std::size_t posted_at_once_max = 32;

}  // namespace

Poller::~Poller() {
  if (epoll_ >= 0) ::close(epoll_);
  if (wake_ >= 0) ::close(wake_);
}

base::Result<void> Poller::open() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (epoll_ < 0 || wake_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) {
    return base::fail(base::ErrorCode::network_socket_failed, std::strerror(errno));
  }
  return {};
}

bool Poller::add(int fd, std::uint32_t events, Watcher& watcher) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watcher;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool Poller::change(int fd, std::uint32_t events, Watcher& watcher) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watcher;
  return ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0;
}

void Poller::remove(int fd, Watcher& watcher) {
  for (std::size_t i = 0; i < batch_size_; ++i) {
    if (batch_[i].data.ptr == &watcher) batch_[i].events = 0;
  }
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void Poller::wait_for_events(int timeout_ms) {
  int const count = ::epoll_wait(epoll_, batch_.data(), batch_max, timeout_ms);
  batch_size_ = count > 0 ? static_cast<std::size_t>(count) : 0;
}

void Poller::call_watchers() {
  for (std::size_t i = 0; i < batch_size_; ++i) {
    std::uint32_t const events = batch_[i].events;
    if (events == 0) continue;
    if (batch_[i].data.ptr == nullptr) {
      run_posted();
    } else {
      static_cast<Watcher*>(batch_[i].data.ptr)->on_ready(events);
    }
  }
  batch_size_ = 0;
}

void Poller::post(std::function<void()> work) {
  {
    std::lock_guard const lock(mutex_);
    posted_.push_back(std::move(work));
    if (posted_.size() > 1) return;  // it is awake, or about to be
  }
  std::uint64_t const one = 1;
  static_cast<void>(::write(wake_, &one, sizeof one));
}

// So many, then the sockets have their turn; the eventfd stays ready for the others.
void Poller::run_posted() {
  std::vector<std::function<void()>> work;
  {
    std::lock_guard const lock(mutex_);
    std::size_t const count = std::min(posted_.size(), posted_at_once_max);
    work.assign(std::move_iterator(posted_.begin()),
                std::move_iterator(posted_.begin() + static_cast<std::ptrdiff_t>(count)));
    posted_.erase(posted_.begin(), posted_.begin() + static_cast<std::ptrdiff_t>(count));
    if (posted_.empty()) {
      std::uint64_t wakes = 0;
      static_cast<void>(::read(wake_, &wakes, sizeof wakes));
    }
  }
  for (auto const& each : work) each();
}

}  // namespace dotkey::host::dns
