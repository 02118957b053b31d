// SPDX-License-Identifier: Apache-2.0
// The event loop of a command that a person waits for: ends when the work is done, at a deadline,
// or at Ctrl-C.
#pragma once

#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "core/engine/time.h"

namespace dotkey::host::loop {

class Foreground {
 public:
  Foreground();  // takes over SIGINT and SIGTERM
  Foreground(Foreground const&) = delete;
  Foreground& operator=(Foreground const&) = delete;

  enum class End : std::uint8_t { done, timed_out, interrupted };
  // Runs until `done` is true; it is asked after every event. An interruption stays: later calls
  // return at once.
  End run_until(std::function<bool()> const& done, engine::Instant deadline);
  // Runs until SIGINT or SIGTERM.
  void run_until_interrupted();

  [[nodiscard]] boost::asio::io_context& loop() { return loop_; }
  [[nodiscard]] bool was_interrupted() const { return interrupted_; }

 private:
  boost::asio::io_context loop_;
  boost::asio::signal_set signals_;
  bool interrupted_ = false;
};

}  // namespace dotkey::host::loop
