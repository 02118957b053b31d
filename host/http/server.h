// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server: keep-alive, pipelining, one event loop a thread, and a bound on everything.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/result.h"
#include "core/relay/server.h"

#include "host/http/client_counts.h"

namespace dotkey::host::http {

struct ServerSettings {
  base::Endpoint listen;  // port 0 lets the system choose
  std::uint32_t threads = 1;
  std::uint32_t connections_max = 8192;
  // Of one IPv4 address or IPv6 /64; the proxies in front of this server are not counted.
  std::uint32_t connections_per_client_max = 128;
  std::vector<base::IpAddress> proxies;
  std::size_t head_size_max = 8192;
  // Of a body; what is announced as longer reaches the service as one byte more than this.
  std::size_t body_size_max = dotkey::relay::payload_size_max;
  // From a request's first byte to its last.
  engine::Duration request_timeout = engine::Duration::from_s(10);
  engine::Duration idle_timeout = engine::Duration::from_s(30);
  // Until the client has taken a response.
  engine::Duration write_timeout = engine::Duration::from_s(30);
};

// Names one request of one worker that is answered later.
enum class RequestId : std::uint64_t {};

// What answers requests: one for each worker, used on that worker's thread alone.
class Service {
 public:
  virtual ~Service() = default;
  // Fills `out` and returns true, or returns false and calls Worker::respond() later. `out` is
  // reused from one request to the next and holds what the last one left.
  virtual bool on_request(dotkey::relay::Moment now, dotkey::relay::Request const& request,
                          RequestId id, dotkey::relay::Response& out) = 0;
  // The client of an unanswered request is gone.
  virtual void on_abandoned(RequestId id) = 0;
};

struct ServerCounters {
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> malformed = 0;
  std::atomic<std::uint64_t> timed_out = 0;  // slow requests and slow readers
  std::atomic<std::uint64_t> refused = 0;    // connections over a limit
  std::atomic<std::uint32_t> open = 0;
};

class Connection;

// One thread with its event loop, its connections and its service.
class Worker {
 public:
  Worker(ServerSettings const& settings, ServerCounters& counters, ClientCounts& clients);
  ~Worker();
  Worker(Worker const&) = delete;
  Worker& operator=(Worker const&) = delete;

  [[nodiscard]] boost::asio::io_context& loop() { return loop_; }
  // On this worker's thread. Ids no longer waited for are ignored.
  void respond(RequestId id, dotkey::relay::Response& response);

  // Serves what it adopts while somebody runs the loop; start() has a thread do so.
  void serve_with(std::unique_ptr<Service> service);
  void start();
  void adopt(boost::asio::ip::tcp::socket::native_handle_type socket, base::IpAddress const& peer);

 private:
  friend class Connection;

  void stop();  // on any thread; returns when the thread has ended
  void arm_sweep();
  void sweep();
  void forget(Connection& connection);
  [[nodiscard]] dotkey::relay::Moment moment();
  [[nodiscard]] std::string const& date_line(dotkey::relay::UnixTime now);

  ServerSettings const& settings_;
  ServerCounters& counters_;
  ClientCounts& clients_;
  boost::asio::io_context loop_;
  boost::asio::steady_timer sweep_timer_;
  std::unique_ptr<Service> service_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
  std::unordered_map<std::uint64_t, Connection*> waiting_;
  std::uint64_t last_id_ = 0;
  dotkey::relay::Response response_;
  std::string date_line_;
  std::int64_t date_s_ = -1;
  std::thread thread_;
};

class Server {
 public:
  using MakeService = std::function<std::unique_ptr<Service>(Worker&)>;

  // Accepts on `loop`, which outlives the server. Errors: network_socket_failed.
  static base::Result<std::unique_ptr<Server>> open(boost::asio::io_context& loop,
                                                    ServerSettings const& settings,
                                                    MakeService const& make_service);
  ~Server();  // closes all connections and ends the threads
  Server(Server const&) = delete;
  Server& operator=(Server const&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] ServerCounters const& counters() const { return counters_; }

 private:
  Server(boost::asio::io_context& loop, ServerSettings const& settings);
  void accept();
  void place(boost::asio::ip::tcp::socket socket);

  ServerSettings settings_;
  ServerCounters counters_;
  ClientCounts clients_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer retry_timer_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t next_worker_ = 0;
};

}  // namespace dotkey::host::http
