// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/listener.h"

#include <chrono>
#include <utility>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/channel/socket_path.h"
#include "host/store/atomic_file.h"

namespace dotkey::host::daemon {

using base::ErrorCode;
using base::Result;
using boost::asio::local::stream_protocol;

namespace {

constexpr std::chrono::milliseconds accept_retry_interval{50};

// Nobody else may reach into the directory of the socket, or put another there.
Result<void> check_directory(std::string const& directory) {
  struct stat facts{};
  if (::lstat(directory.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode) ||
      facts.st_uid != ::geteuid() || (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return base::fail(ErrorCode::file_unwritable,
                      directory + " is not a directory that only its owner may change");
  }
  return {};
}

Result<void> remove_stale(std::string const& path) {
  struct stat facts{};
  if (::lstat(path.c_str(), &facts) != 0) return {};
  if (!S_ISSOCK(facts.st_mode)) {
    return base::fail(ErrorCode::network_socket_failed, path + " is there and is no socket");
  }
  ::unlink(path.c_str());
  return {};
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(boost::asio::io_context& loop,
                                                 std::string const& path,
                                                 Session::OnMessage on_message) {
  std::unique_ptr<Listener> out(new Listener(loop, path, std::move(on_message)));
  if (auto bound = out->bind(); !bound) return tl::make_unexpected(bound.error());
  out->accept();
  return out;
}

Listener::Listener(boost::asio::io_context& loop, std::string path, Session::OnMessage on_message)
    : path_(std::move(path)),
      on_message_(std::move(on_message)),
      acceptor_(loop),
      retry_timer_(loop) {}

Listener::~Listener() {
  *alive_ = false;
  for_each_session([](Session& session) { session.close(); });
  if (acceptor_.is_open()) ::unlink(path_.c_str());
}

Result<void> Listener::bind() {
  if (path_.size() >= sizeof(sockaddr_un::sun_path)) {
    return base::fail(ErrorCode::network_socket_failed,
                      path_ + " is too long for a socket; set XDG_RUNTIME_DIR");
  }
  std::string const directory = path_.substr(0, path_.rfind('/'));
  if (auto made = store::create_private_directory(directory); !made) return made;
  if (auto checked = check_directory(directory); !checked) return checked;
  if (auto removed = remove_stale(path_); !removed) return removed;
  boost::system::error_code error;
  acceptor_.open(stream_protocol(), error);
  // Until chmod() nobody can connect: nobody listens yet.
  if (!error) acceptor_.bind(stream_protocol::endpoint(path_), error);
  if (!error && ::chmod(path_.c_str(), S_IRUSR | S_IWUSR) != 0) {
    error.assign(errno, boost::system::system_category());
  }
  if (!error) acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  acceptor_.close();
  return base::fail(ErrorCode::network_socket_failed, path_ + ": " + error.message());
}

void Listener::accept() {
  acceptor_.async_accept(
      [this, alive = alive_](boost::system::error_code const& error, Session::Socket socket) {
        if (!*alive || error == boost::asio::error::operation_aborted) return;
        if (!error) {
          on_accepted(std::move(socket));
          return accept();
        }
        // Without a free descriptor the next try would fail at once, for ever.
        retry_timer_.expires_after(accept_retry_interval);
        retry_timer_.async_wait([this, alive](boost::system::error_code const& cancelled) {
          if (*alive && !cancelled) accept();
        });
      });
}

void Listener::on_accepted(Session::Socket socket) {
  if (!channel::is_own_user(socket.native_handle()) || sessions_.size() >= sessions_max) {
    ++turned_away_;
    return;  // which closes it
  }
  boost::system::error_code error;
  socket.non_blocking(true, error);
  if (error) return;
  auto const session = std::make_shared<Session>(std::move(socket), on_message_,
                                                 [this, alive = alive_](Session& closed) {
                                                   if (*alive) sessions_.erase(&closed);
                                                 });
  sessions_.emplace(session.get(), session);
  session->start();
}

}  // namespace dotkey::host::daemon
