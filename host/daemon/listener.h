// SPDX-License-Identifier: Apache-2.0
// The per-user Unix socket: whoever of our own user connects gets a session.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/result.h"

#include "host/daemon/session.h"

namespace dotkey::host::daemon {

inline constexpr std::size_t sessions_max = 64;

class Listener {
 public:
  // The caller holds the state directory's lock, so a socket that is there already is a dead
  // daemon's and is replaced. Errors: network_socket_failed, file_unwritable.
  static base::Result<std::unique_ptr<Listener>> open(boost::asio::io_context& loop,
                                                      std::string const& path,
                                                      Session::OnMessage on_message);
  ~Listener();  // closes all sessions and removes the socket
  Listener(Listener const&) = delete;
  Listener& operator=(Listener const&) = delete;

  [[nodiscard]] std::string const& path() const { return path_; }
  [[nodiscard]] std::size_t session_count() const { return sessions_.size(); }
  [[nodiscard]] std::uint64_t turned_away() const { return turned_away_; }

  template <class Act>
  void for_each_session(Act act) {
    auto const all = sessions_;  // `act` may close some
    for (auto const& [key, session] : all) act(*session);
  }

 private:
  Listener(boost::asio::io_context& loop, std::string path, Session::OnMessage on_message);
  base::Result<void> bind();
  void accept();
  void on_accepted(Session::Socket socket);

  std::string path_;
  Session::OnMessage on_message_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer retry_timer_;
  std::map<Session*, std::shared_ptr<Session>> sessions_;
  std::uint64_t turned_away_ = 0;  // another user's, or one too many
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace dotkey::host::daemon
