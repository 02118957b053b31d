// SPDX-License-Identifier: Apache-2.0
// A non-blocking UDP socket on the event loop: datagrams in by the batch, out one by one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include "core/base/endpoint.h"
#include "core/base/result.h"

namespace dotkey::host::loop {

class UdpSocket {
 public:
  using OnDatagram = std::function<void(base::Endpoint const& from, base::ByteView payload)>;

  // Binds to `local`; port 0 lets the system choose. An IPv6 socket carries IPv6 only. Errors:
  // network_socket_failed.
  static base::Result<std::unique_ptr<UdpSocket>> open(boost::asio::io_context& loop,
                                                       base::Endpoint const& local);

  // Calls `on_datagram` for each datagram until this object is destroyed, which `on_datagram` must
  // not do itself.
  void start(OnDatagram on_datagram);

  // False when the system took nothing: full buffers, no route. UDP may lose it anyhow.
  bool send(base::Endpoint const& to, base::ByteView payload);

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  explicit UdpSocket(boost::asio::io_context& loop) : socket_(loop) {}
  void wait();
  void receive_waiting();

  boost::asio::ip::udp::socket socket_;
  std::uint16_t port_ = 0;
  OnDatagram on_datagram_;
};

// True when the system has a route to the public internet of this family. Sends nothing.
bool has_route(base::IpFamily family);

}  // namespace dotkey::host::loop
