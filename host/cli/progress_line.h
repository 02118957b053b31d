// SPDX-License-Identifier: Apache-2.0
// One line on a terminal that says how far long work has come; nothing when stderr is piped.
#pragma once

#include <string>

#include <boost/json/fwd.hpp>

#include "core/engine/time.h"

namespace dotkey::host::cli {

class ProgressLine {
 public:
  explicit ProgressLine(std::string what);
  ~ProgressLine();  // clears the line
  ProgressLine(ProgressLine const&) = delete;
  ProgressLine& operator=(ProgressLine const&) = delete;

  [[nodiscard]] bool is_visible() const { return on_terminal_; }
  // `progress` is the body of such an event. Redraws at most ten times a second.
  void show(engine::Instant now, boost::json::object const& progress);

 private:
  std::string what_;
  bool on_terminal_;
  bool drawn_ = false;
  engine::Instant next_redraw_;
};

}  // namespace dotkey::host::cli
