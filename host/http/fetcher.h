// SPDX-License-Identifier: Apache-2.0
// The HTTP client for relays: carries out relay::FetchUrl. Without cookies, credentials or
// redirects; certificates are checked against the system's authorities.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>

#include "core/relay/client.h"

#include "host/http/name_cache.h"

namespace dotkey::host::http {

inline constexpr std::size_t fetches_max = 1024;
inline constexpr std::size_t response_head_size_max = 16 * 1024;
// Connections kept for the next request, and for how long.
inline constexpr std::size_t idle_connections_max = 32;
inline constexpr engine::Duration idle_connection_lifetime = engine::Duration::from_s(20);

class FetchConnection;
class Fetch;

// Scheme, host, port and target of "https://host[:port]/path".
struct Origin {
  bool tls = true;
  std::string host;  // without brackets
  std::uint16_t port = 0;

  [[nodiscard]] std::string host_port() const;
  friend auto operator<=>(Origin const&, Origin const&) = default;
};
struct Location {
  Origin origin;
  std::string target;  // "/key"
};
// Nullopt for what is no such URL, and for names below `.key`, which no resolver may hear of.
std::optional<Location> parse_location(std::string_view url);

class Fetcher {
 public:
  struct Response {
    std::uint16_t status = 0;
    std::vector<dotkey::relay::Header> headers;
    base::Bytes body;
  };
  using Result = tl::expected<Response, dotkey::relay::FetchFailure>;
  using OnDone = std::function<void(Result)>;

  explicit Fetcher(boost::asio::io_context& loop);
  ~Fetcher();  // gives up all silently
  Fetcher(Fetcher const&) = delete;
  Fetcher& operator=(Fetcher const&) = delete;

  // `on_done` runs once, on the loop and not before this returns, unless the fetch is cancelled.
  void start(dotkey::relay::FetchUrl request, OnDone on_done);
  void cancel(dotkey::relay::FetchId id);

 private:
  friend class Fetch;

  std::shared_ptr<FetchConnection> take_idle(Origin const& origin);
  void park(std::shared_ptr<FetchConnection> connection);
  void end(dotkey::relay::FetchId id, Result result);

  boost::asio::io_context& loop_;
  boost::asio::ssl::context tls_;
  NameCache names_;
  std::map<dotkey::relay::FetchId, std::shared_ptr<Fetch>> fetches_;
  std::map<dotkey::relay::FetchId, OnDone> waiting_;
  std::list<std::shared_ptr<FetchConnection>> idle_;  // oldest first
};

}  // namespace dotkey::host::http
