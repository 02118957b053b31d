// SPDX-License-Identifier: Apache-2.0
// One connection to a relay: the first address that answers, and TLS over it.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "core/base/endpoint.h"

#include "host/http/fetcher.h"

namespace dotkey::host::http {

class FetchConnection : public std::enable_shared_from_this<FetchConnection> {
 public:
  using OnOpened = std::function<void(bool)>;

  // `tls` outlives the connection.
  FetchConnection(boost::asio::io_context& loop, boost::asio::ssl::context& tls, Origin origin);

  // Tries the addresses one after the other, the next one when the last is late (RFC 8305);
  // `on_opened` runs once unless close() comes first.
  void open(std::vector<base::Endpoint> const& addresses, OnOpened on_opened);
  void close();

  [[nodiscard]] Origin const& origin() const { return origin_; }

  // Runs `act` on the stream that bytes go through.
  template <class Act>
  void with_stream(Act act) {
    if (tls_stream_) {
      act(*tls_stream_);
    } else {
      act(socket_);
    }
  }

  boost::beast::flat_buffer buffer;  // read ahead
  engine::Instant idle_since;

 private:
  using Socket = boost::asio::ip::tcp::socket;

  void try_next();
  void on_connected(std::list<Socket>::iterator attempt, boost::system::error_code const& error);
  void shake_hands();
  void finish(bool opened);

  boost::asio::io_context& loop_;
  boost::asio::ssl::context& tls_;
  Origin origin_;
  Socket socket_;
  std::optional<boost::asio::ssl::stream<Socket&>> tls_stream_;

  OnOpened on_opened_;
  std::vector<base::Endpoint> addresses_;  // to try, the next one last
  std::list<Socket> attempts_;
  boost::asio::steady_timer stagger_;
};

}  // namespace dotkey::host::http
