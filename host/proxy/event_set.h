// SPDX-License-Identifier: Apache-2.0
// Readiness of many sockets on the event loop: one edge-triggered epoll set inside Asio's own.
// A socket is registered once and costs no further system call; Asio re-arms at every wait.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/epoll.h>

namespace dotkey::host::proxy {

class EventSet {
 public:
  class Watcher {
   public:
    // `events`: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR as epoll gave them.
    virtual void on_ready(std::uint32_t events) = 0;

   protected:
    ~Watcher() = default;
  };

  explicit EventSet(boost::asio::io_context& loop);
  EventSet(EventSet const&) = delete;
  EventSet& operator=(EventSet const&) = delete;

  // False when the kernel has no room. `watcher` must be removed before it dies or `fd` is closed.
  bool add(int fd, Watcher& watcher);
  // The same socket reports to another watcher from now on, with an event for what is pending.
  void move(int fd, Watcher& from, Watcher& to);
  void remove(int fd, Watcher& watcher);

 private:
  static constexpr std::size_t batch_max = 128;

  void wait();
  void on_batch();
  void forget_pending(Watcher& watcher);

  boost::asio::posix::stream_descriptor epoll_;
  std::array<epoll_event, batch_max> batch_{};
  std::size_t batch_size_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace dotkey::host::proxy
