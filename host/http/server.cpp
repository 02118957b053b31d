// SPDX-License-Identifier: Apache-2.0
#include "host/http/server.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <unistd.h>

#include "host/http/connection.h"
#include "host/loop/clock.h"
#include "host/loop/socket_address.h"
#include "host/loop/system_entropy.h"

namespace dotkey::host::http {

namespace asio = boost::asio;
using boost::system::error_code;
using engine::Duration;

namespace {

constexpr auto sweep_interval = std::chrono::milliseconds(250);
// When the system has no more files for us: trying again at once would only burn the processor.
constexpr auto accept_retry_interval = std::chrono::milliseconds(50);

std::uint64_t random_u64() {
  loop::SystemEntropy entropy;
  return entropy.next_u64();
}

}  // namespace

Worker::Worker(ServerSettings const& settings, ServerCounters& counters, ClientCounts& clients)
    : settings_(settings), counters_(counters), clients_(clients), loop_(1), sweep_timer_(loop_) {}

Worker::~Worker() {
  stop();
  // Connections may be held by operations that the loop's destructor drops.
  connections_.clear();
}

void Worker::serve_with(std::unique_ptr<Service> service) {
  service_ = std::move(service);
  arm_sweep();
}

void Worker::start() {
  thread_ = std::thread([this] { loop_.run(); });
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  asio::post(loop_, [this] {
    while (!connections_.empty()) connections_.begin()->second->end();
    loop_.stop();
  });
  thread_.join();
}

void Worker::adopt(asio::ip::tcp::socket::native_handle_type handle, base::IpAddress const& peer) {
  bool const is_counted = std::find(settings_.proxies.begin(), settings_.proxies.end(), peer) ==
                          settings_.proxies.end();
  asio::ip::tcp::socket socket(loop_);
  error_code error;
  socket.assign(peer.is_v4() ? asio::ip::tcp::v4() : asio::ip::tcp::v6(), handle, error);
  if (error) {
    ::close(handle);
    if (is_counted) clients_.remove(peer);
    return;
  }
  socket.non_blocking(true, error);
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  auto connection = std::make_shared<Connection>(*this, std::move(socket), peer, is_counted);
  connections_.emplace(connection.get(), connection);
  connection->start();
}

void Worker::forget(Connection& connection) {
  connections_.erase(&connection);
}

void Worker::respond(RequestId id, dotkey::relay::Response& response) {
  auto const found = waiting_.extract(static_cast<std::uint64_t>(id));
  if (found.empty()) return;
  found.mapped()->respond(moment(), response);
}

void Worker::arm_sweep() {
  sweep_timer_.expires_after(sweep_interval);
  sweep_timer_.async_wait([this](error_code const& error) {
    if (error) return;
    sweep();
    arm_sweep();
  });
}

void Worker::sweep() {
  engine::Instant const now = loop::now();
  std::vector<std::shared_ptr<Connection>> overdue;
  for (auto const& [pointer, connection] : connections_) {
    if (connection->is_overdue(now)) overdue.push_back(connection);
  }
  for (auto const& connection : overdue) connection->on_overdue();
}

dotkey::relay::Moment Worker::moment() {
  return {loop::now(), loop::unix_now()};
}

std::string const& Worker::date_line(dotkey::relay::UnixTime now) {
  if (std::int64_t const second = now.us / 1'000'000; second != date_s_) {
    date_s_ = second;
    date_line_ = "date: " + dotkey::relay::encode_http_date(now) + "\r\n";
  }
  return date_line_;
}

Server::Server(asio::io_context& loop, ServerSettings const& settings)
    : settings_(settings), clients_(random_u64()), acceptor_(loop), retry_timer_(loop) {}

Server::~Server() {
  error_code ignored;
  acceptor_.close(ignored);
  workers_.clear();
}

base::Result<std::unique_ptr<Server>> Server::open(asio::io_context& loop,
                                                   ServerSettings const& settings,
                                                   MakeService const& make_service) {
  std::unique_ptr<Server> out(new Server(loop, settings));
  auto const address = loop::socket_address_of(settings.listen);
  asio::ip::tcp::endpoint local;
  std::copy_n(reinterpret_cast<std::uint8_t const*>(address.get()), address.size,
              reinterpret_cast<std::uint8_t*>(local.data()));
  local.resize(address.size);
  error_code error;
  out->acceptor_.open(local.protocol(), error);
  if (!error) out->acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) out->acceptor_.bind(local, error);
  if (!error) out->acceptor_.listen(4096, error);
  if (!error) out->acceptor_.non_blocking(true, error);
  if (error) {
    return base::fail(base::ErrorCode::network_socket_failed,
                      settings.listen.to_string() + ": " + error.message());
  }
  for (std::uint32_t i = 0; i < std::max(settings.threads, 1U); ++i) {
    out->workers_.push_back(
        std::make_unique<Worker>(out->settings_, out->counters_, out->clients_));
    Worker& worker = *out->workers_.back();
    worker.serve_with(make_service(worker));
    worker.start();
  }
  out->accept();
  return out;
}

std::uint16_t Server::port() const {
  error_code ignored;
  return acceptor_.local_endpoint(ignored).port();
}

void Server::accept() {
  acceptor_.async_accept([this](error_code const& error, asio::ip::tcp::socket socket) {
    if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) return;
    if (!error) {
      place(std::move(socket));
      return accept();
    }
    retry_timer_.expires_after(accept_retry_interval);
    retry_timer_.async_wait([this](error_code const& cancelled) {
      if (!cancelled) accept();
    });
  });
}

void Server::place(asio::ip::tcp::socket socket) {
  error_code error;
  auto const remote = socket.remote_endpoint(error);
  auto const peer = error ? std::nullopt : loop::endpoint_of(remote.data());
  if (!peer) return;
  bool const is_proxy = std::find(settings_.proxies.begin(), settings_.proxies.end(),
                                  peer->address) != settings_.proxies.end();
  if (counters_.open >= settings_.connections_max ||
      (!is_proxy && !clients_.add(peer->address, settings_.connections_per_client_max))) {
    ++counters_.refused;
    return;
  }
  // In turn: each worker gets its share of the clients, whatever their addresses hash to.
  Worker& worker = *workers_[next_worker_++ % workers_.size()];
  auto const handle = socket.release(error);
  if (error) return;
  asio::post(worker.loop(),
             [&worker, handle, address = peer->address] { worker.adopt(handle, address); });
}

}  // namespace dotkey::host::http
