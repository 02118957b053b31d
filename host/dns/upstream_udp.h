// SPDX-License-Identifier: Apache-2.0
// One UDP socket towards one server, on a port that the system chose at random, for as long as
// queries wait on it. It is connected: the kernel drops what comes from anybody else.
#pragma once

#include <memory>
#include <unordered_map>

#include "core/base/endpoint.h"

#include "host/dns/poller.h"

namespace dotkey::host::dns {

class UpstreamUdp final : public Poller::Watcher {
 public:
  class Service {
   public:
    // `in_fragments`: anybody may have sent a part of it.
    virtual void on_udp_message(UpstreamUdp& socket, base::ByteView message, bool in_fragments) = 0;
    // The server's machine says that nobody listens.
    virtual void on_udp_refused(UpstreamUdp& socket) = 0;

   protected:
    ~Service() = default;
  };

  // nullptr when the system has no room or no route.
  static std::unique_ptr<UpstreamUdp> open(base::Endpoint const& server, Poller& poller,
                                           Service& service);
  ~UpstreamUdp();
  UpstreamUdp(UpstreamUdp const&) = delete;
  UpstreamUdp& operator=(UpstreamUdp const&) = delete;

  void on_ready(std::uint32_t events) override;
  bool send(base::ByteView message);
  void close();

  [[nodiscard]] base::Endpoint const& server() const { return server_; }
  // Which lookup waits under which id.
  std::unordered_map<std::uint16_t, std::uint64_t> waiting;
  std::size_t place = 0;  // the forwarder's, for finding it at once

 private:
  UpstreamUdp(int fd, base::Endpoint const& server, Poller& poller, Service& service)
      : fd_(fd), server_(server), poller_(poller), service_(service) {}

  int fd_;
  base::Endpoint server_;
  Poller& poller_;
  Service& service_;
};

}  // namespace dotkey::host::dns
