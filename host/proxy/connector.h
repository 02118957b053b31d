// SPDX-License-Identifier: Apache-2.0
// Connects to the first of several addresses that answers (Happy Eyeballs, RFC 8305).
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "core/base/endpoint.h"

#include "host/proxy/event_set.h"

namespace dotkey::host::proxy {

inline constexpr std::chrono::milliseconds connection_attempt_delay{250};  // RFC 8305 §5
inline constexpr std::size_t connect_addresses_max = 16;

// Families in turn, IPv6 first, otherwise in the order given (RFC 8305 §4); the first
// connect_addresses_max of them.
std::vector<base::IpAddress> interleave_families(std::vector<base::IpAddress> const& addresses);

class Connector {
 public:
  struct Connected {
    int fd = -1;
    base::Endpoint endpoint;
  };
  // Absent: every address refused.
  using OnDone = std::function<void(std::optional<Connected>)>;

  Connector(boost::asio::io_context& loop, EventSet& events);
  ~Connector();  // gives up silently
  Connector(Connector const&) = delete;
  Connector& operator=(Connector const&) = delete;

  // `on_done` runs once, perhaps before this returns, and may destroy the connector. There is no
  // overall deadline here: the owner has one.
  void start(std::vector<base::IpAddress> const& addresses, std::uint16_t port, OnDone on_done);

 private:
  struct Attempt final : EventSet::Watcher {
    Attempt(Connector& owner_, int fd_, base::Endpoint const& endpoint_)
        : owner(owner_), fd(fd_), endpoint(endpoint_) {}
    void on_ready(std::uint32_t events) override { owner.on_attempt(*this, events); }
    Connector& owner;
    int fd;
    base::Endpoint endpoint;
  };

  void try_next();
  bool begin(base::Endpoint const& endpoint);
  void on_attempt(Attempt& attempt, std::uint32_t events);
  void drop(Attempt& attempt, bool close_socket);
  void finish(std::optional<Connected> connected);

  EventSet& events_;
  boost::asio::steady_timer stagger_;
  std::vector<base::Endpoint> waiting_;  // the next one last
  std::list<Attempt> attempts_;
  OnDone on_done_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // a timer may fire once too late
};

}  // namespace dotkey::host::proxy
