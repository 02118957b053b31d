// SPDX-License-Identifier: Apache-2.0
// One client of the server: bytes in, requests to the service, bytes out, in order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "host/http/request_head.h"
#include "host/http/server.h"

namespace dotkey::host::http {

// Lives in its worker's table; what the event loop still holds of it after that does nothing.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Worker& worker, boost::asio::ip::tcp::socket socket, base::IpAddress const& peer,
             bool is_counted);
  ~Connection();
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  void start();
  // The answer to the request that waits.
  void respond(dotkey::relay::Moment now, dotkey::relay::Response& response);
  void end();
  void on_overdue();
  [[nodiscard]] bool is_overdue(engine::Instant now) const { return now >= deadline_; }

 private:
  enum class State : std::uint8_t { reading, waiting, lingering, ended };

  void advance();
  void answer_received();
  // False when there is no whole request in the buffer.
  bool answer_next(dotkey::relay::Moment now);
  void dispatch(dotkey::relay::Moment now, RequestHead const& head, base::ByteView body);
  void refuse(dotkey::relay::Moment now, std::uint16_t status, std::string_view text);
  void append(dotkey::relay::Moment now, dotkey::relay::Response& response);
  void read();
  bool make_room();
  // True when all is sent; else the rest is on its way and advance() follows.
  bool send_waiting();
  void linger();
  void read_and_drop();

  Worker& worker_;
  boost::asio::ip::tcp::socket socket_;
  base::IpAddress peer_;
  bool is_counted_;
  State state_ = State::reading;
  engine::Instant deadline_;
  std::vector<char> in_;
  std::size_t begin_ = 0;  // of what is not answered yet
  std::size_t end_ = 0;
  std::string out_;
  std::uint64_t waiting_id_ = 0;
  bool request_began_ = false;
  bool said_continue_ = false;
  bool keep_alive_ = true;  // of the latest request
  std::size_t dropped_ = 0;
};

}  // namespace dotkey::host::http
