// SPDX-License-Identifier: Apache-2.0
// The addresses of the relays' hosts: one lookup a host at a time, its answer kept for a minute.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "core/base/endpoint.h"
#include "core/engine/time.h"

#include "host/loop/name_lookup.h"

namespace dotkey::host::http {

class NameCache {
 public:
  static constexpr std::size_t hosts_max = 64;
  static constexpr engine::Duration lifetime = engine::Duration::from_s(60);

  // Empty: the name does not resolve.
  using OnAddresses = std::function<void(std::vector<base::Endpoint> const&)>;

  explicit NameCache(boost::asio::io_context& loop) : loop_(loop) {}
  NameCache(NameCache const&) = delete;
  NameCache& operator=(NameCache const&) = delete;

  // "host:port". `on_addresses` runs once, perhaps before this returns, unless this object goes.
  void look_up(std::string const& host_port, OnAddresses on_addresses);

 private:
  struct Entry {
    std::unique_ptr<loop::NameLookup> lookup;
    std::vector<base::Endpoint> addresses;
    engine::Instant expires;
    std::vector<OnAddresses> waiting;
  };
  void on_outcomes(std::string const& host_port, loop::NameLookup::Outcomes const& outcomes);
  void make_room();

  boost::asio::io_context& loop_;
  std::map<std::string, Entry> entries_;
};

}  // namespace dotkey::host::http
