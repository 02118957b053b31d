// SPDX-License-Identifier: Apache-2.0
// getaddrinfo() away from the event loop. It cannot be interrupted, so a lookup nobody waits for
// any more ends on its own and its answer is dropped: the program never waits for a dead name
// server.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "core/base/endpoint.h"
#include "core/base/result.h"

namespace dotkey::host::loop {

// "host:port" or "[v6]:port" apart.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
// Errors: address_malformed.
base::Result<HostPort> parse_host_port(std::string_view text);

class NameLookup {
 public:
  // One outcome a name, in order. Errors in it: address_malformed, network_name_unresolved.
  using Outcomes = std::vector<base::Result<std::vector<base::Endpoint>>>;
  using OnDone = std::function<void(Outcomes)>;

  explicit NameLookup(boost::asio::io_context& loop);
  ~NameLookup();  // forgets what runs
  NameLookup(NameLookup const&) = delete;
  NameLookup& operator=(NameLookup const&) = delete;

  // Looks up "host:port" texts one after the other on one thread; literal addresses need none.
  // `on_done` runs on the loop, later, unless this object is gone by then. One at a time.
  void start(std::vector<std::string> names, OnDone on_done);
  [[nodiscard]] bool is_running() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace dotkey::host::loop
