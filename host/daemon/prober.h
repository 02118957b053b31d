// SPDX-License-Identifier: Apache-2.0
// Tests the whole way through the browsers that run: each opens a page of the daemon's own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>

#include "core/base/result.h"

#include "host/daemon/peer.h"
#include "host/page/pages.h"

namespace dotkey::host::daemon {

// For all browsers together.
inline constexpr std::chrono::seconds probe_timeout{12};

class Prober {
 public:
  // Both outlive it.
  Prober(boost::asio::io_context& loop, page::Pages& pages);
  Prober(Prober const&) = delete;
  Prober& operator=(Prober const&) = delete;

  // One entry for each of `peers` that is a browser:
  // {"browser","extension","stage","took_ms","slug"?,"detail"?,"permitted"?}, where `stage` is how
  // far it came: "silent", "asked", "held", "refused", "allowed", "opened". Who asks while a probe
  // runs shares it. Errors: those of ProbeSite::open.
  using OnDone = std::function<void(base::Result<boost::json::array> const&)>;
  void run(std::vector<std::shared_ptr<Peer>> const& peers, OnDone on_done);

 private:
  struct Entry {
    std::weak_ptr<Peer> peer;
    boost::json::object outcome;
    bool done = false;
  };
  void start(Entry& entry, std::size_t index, std::string const& url);
  void on_probed(std::size_t index, boost::json::object const& body);
  void finish();
  void tell(base::Result<boost::json::array> const& result);

  page::Pages& pages_;
  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point started_;
  std::string token_;
  std::vector<Entry> entries_;
  std::vector<OnDone> waiting_;
};

}  // namespace dotkey::host::daemon
