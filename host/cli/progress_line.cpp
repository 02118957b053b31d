// SPDX-License-Identifier: Apache-2.0
#include "host/cli/progress_line.h"

#include <cstdio>
#include <utility>

#include <unistd.h>

namespace dotkey::host::cli {

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)), on_terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (drawn_) std::fputs("\r\x1b[2K", stderr);
}

void ProgressLine::show(engine::Instant now, dht::Tally const& tally, std::uint32_t stored) {
  if (!on_terminal_ || now < next_redraw_) return;
  next_redraw_ = now + engine::Duration::from_ms(100);
  drawn_ = true;
  std::fprintf(stderr, "\r\x1b[2K%s: %u nodes asked, %u answered", what_.c_str(), tally.queried,
               tally.responded);
  if (stored > 0) std::fprintf(stderr, ", %u stored", stored);
}

}  // namespace dotkey::host::cli
