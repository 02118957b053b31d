// SPDX-License-Identifier: Apache-2.0
// Names of the DNS that keys lead to, looked up a few at a time: a lookup occupies a thread for as
// long as a silent name server likes, and any page can ask for any number of them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "host/loop/name_lookup.h"

namespace dotkey::host::page {

// Threads.
inline constexpr std::size_t lookups_running_max = 16;
// Those who wait for a lookup, running or not.
inline constexpr std::size_t lookups_awaited_max = 500;

class HostLookups {
 public:
  using Outcomes = loop::NameLookup::Outcomes;
  using OnDone = std::function<void(Outcomes const&)>;
  // Looks up one "host:port"; the answer has one outcome and comes later, on the same thread.
  using LookUp = std::function<void(std::string const& name, OnDone on_done)>;

  // By the system's resolver.
  explicit HostLookups(boost::asio::io_context& loop);
  explicit HostLookups(LookUp look_up) : look_up_(std::move(look_up)) {}
  HostLookups(HostLookups const&) = delete;
  HostLookups& operator=(HostLookups const&) = delete;

  // One outcome a name, in order. Equal names are looked up once. `on_done` runs later, unless this
  // object is gone by then. False: too many wait already, and it never runs.
  [[nodiscard]] bool start(std::vector<std::string> const& names, OnDone on_done);

 private:
  // What one caller still waits for.
  struct Caller {
    Outcomes outcomes;
    std::size_t missing = 0;
    OnDone on_done;
  };
  struct Place {
    std::shared_ptr<Caller> caller;
    std::size_t index = 0;
  };

  void run_next();
  void on_outcome(std::string const& name, Outcomes const& outcomes);

  LookUp look_up_;
  std::map<std::string, std::vector<Place>> awaited_;  // by name
  std::deque<std::string> queue_;                      // not begun
  std::size_t running_ = 0;
  std::size_t callers_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace dotkey::host::page
