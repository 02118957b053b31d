// SPDX-License-Identifier: Apache-2.0
// One listening TCP socket of one shard.
#pragma once

#include <memory>

#include "core/base/endpoint.h"
#include "core/base/result.h"
#include "core/bridge/admission.h"

#include "host/dns/poller.h"

namespace dotkey::host::dns {

class StreamPort final : public Poller::Watcher {
 public:
  class Service {
   public:
    // Owns the socket from now on.
    virtual void on_accepted(StreamPort& port, int fd, base::IpAddress const& client) = 0;

   protected:
    ~Service() = default;
  };

  // Port 0 lets the system choose. Sockets of several shards share an address. Errors:
  // network_socket_failed.
  static base::Result<std::unique_ptr<StreamPort>> open(base::Endpoint const& local,
                                                        bridge::Transport transport, Poller& poller,
                                                        Service& service);
  ~StreamPort();
  StreamPort(StreamPort const&) = delete;
  StreamPort& operator=(StreamPort const&) = delete;

  void on_ready(std::uint32_t events) override;
  [[nodiscard]] base::Endpoint const& local() const { return local_; }
  [[nodiscard]] bridge::Transport transport() const { return transport_; }

 private:
  StreamPort(int fd, base::Endpoint const& local, bridge::Transport transport, Poller& poller,
             Service& service);
  void turn_away();

  int fd_;
  int spare_;  // a descriptor kept back for turn_away()
  base::Endpoint local_;
  bridge::Transport transport_;
  Poller& poller_;
  Service& service_;
};

}  // namespace dotkey::host::dns
