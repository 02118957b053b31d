// SPDX-License-Identifier: Apache-2.0
// One line on a terminal that says how far long work has come; nothing when stderr is piped.
#pragma once

#include <string>

#include "core/dht/types.h"

namespace dotkey::host::cli {

class ProgressLine {
 public:
  explicit ProgressLine(std::string what);
  ~ProgressLine();  // clears the line
  ProgressLine(ProgressLine const&) = delete;
  ProgressLine& operator=(ProgressLine const&) = delete;

  // Redraws at most ten times a second.
  void show(engine::Instant now, dht::Tally const& tally, std::uint32_t stored);

 private:
  std::string what_;
  bool on_terminal_;
  bool drawn_ = false;
  engine::Instant next_redraw_;
};

}  // namespace dotkey::host::cli
