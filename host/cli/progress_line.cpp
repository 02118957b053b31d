// SPDX-License-Identifier: Apache-2.0
#include "host/cli/progress_line.h"

#include <cstdio>
#include <utility>

#include <boost/json/object.hpp>
#include <unistd.h>

#include "host/channel/message.h"

namespace dotkey::host::cli {

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)), on_terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (drawn_) std::fputs("\r\x1b[2K", stderr);
}

void ProgressLine::show(engine::Instant now, boost::json::object const& progress) {
  if (!on_terminal_ || now < next_redraw_) return;
  next_redraw_ = now + engine::Duration::from_ms(100);
  drawn_ = true;
  auto const count = [&](std::string_view name) {
    return std::to_string(channel::integer_at(progress, name).value_or(0));
  };
  std::string line =
      what_ + ": " + count("queried") + " nodes asked, " + count("responded") + " answered";
  if (count("stored") != "0") line += ", " + count("stored") + " stored";
  std::fprintf(stderr, "\r\x1b[2K%s", line.c_str());
}

}  // namespace dotkey::host::cli
