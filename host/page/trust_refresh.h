// SPDX-License-Identifier: Apache-2.0
// Brings the browsers' trust stores up to date, without keeping the loop waiting: a browser may
// have made a profile since the installation, and the CA a new root.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace dotkey::host::page {

class TrustRefresh {
 public:
  // `program`: this one's path.
  TrustRefresh(boost::asio::io_context& loop, std::string program, std::string state_dir);
  ~TrustRefresh();  // what runs ends by itself
  TrustRefresh(TrustRefresh const&) = delete;
  TrustRefresh& operator=(TrustRefresh const&) = delete;

  // Runs `dotkey trust install`, or waits for the one that runs. `on_done(true)`: every store that
  // there is trusts every root. Without an installation nothing is run, and false comes at once; it
  // comes too while a browser keeps its store locked, after patience.
  using OnDone = std::function<void(bool complete)>;
  void start(OnDone on_done);

 private:
  [[nodiscard]] bool is_installed() const;
  bool spawn();
  void on_ended();
  void tell(bool complete);

  // Well within the time that a browser gives its `hello`.
  static constexpr std::chrono::seconds patience{4};

  std::string program_;
  std::string state_dir_;
  boost::asio::posix::stream_descriptor process_;  // a pidfd: readable once it has ended
  std::optional<int> pid_;
  boost::asio::steady_timer timer_;
  std::vector<OnDone> waiting_;
};

}  // namespace dotkey::host::page
