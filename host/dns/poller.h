// SPDX-License-Identifier: Apache-2.0
// The event loop of one shard: epoll and nothing else, since a batch of datagrams costs little more
// than its system calls.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include <sys/epoll.h>

#include "core/base/result.h"

namespace dotkey::host::dns {

class Poller {
 public:
  class Watcher {
   public:
    // `events` as epoll gave them.
    virtual void on_ready(std::uint32_t events) = 0;

   protected:
    ~Watcher() = default;
  };

  Poller() = default;
  ~Poller();
  Poller(Poller const&) = delete;
  Poller& operator=(Poller const&) = delete;

  // Errors: network_socket_failed.
  base::Result<void> open();

  // False when the kernel has no room. `watcher` must be removed before it dies or `fd` is closed.
  bool add(int fd, std::uint32_t events, Watcher& watcher);
  bool change(int fd, std::uint32_t events, Watcher& watcher);
  void remove(int fd, Watcher& watcher);

  // Waits up to `timeout_ms` (-1: for ever), calls `on_awake`, then the watchers whose sockets are
  // ready.
  template <class OnAwake>
  void wait(int timeout_ms, OnAwake on_awake) {
    wait_for_events(timeout_ms);
    on_awake();
    call_watchers();
  }

  // Runs `work` on this loop's thread, soon. On any thread.
  void post(std::function<void()> work);

 private:
  static constexpr std::size_t batch_max = 256;
  void wait_for_events(int timeout_ms);
  void call_watchers();
  void run_posted();

  int epoll_ = -1;
  int wake_ = -1;  // eventfd
  std::array<epoll_event, batch_max> batch_{};
  std::size_t batch_size_ = 0;
  std::mutex mutex_;
  std::deque<std::function<void()>> posted_;
};

}  // namespace dotkey::host::dns
