// SPDX-License-Identifier: Apache-2.0
#include "host/loop/foreground.h"

#include <csignal>

#include "host/loop/clock.h"

namespace dotkey::host::loop {

Foreground::Foreground() : loop_(1), signals_(loop_, SIGINT, SIGTERM) {
  signals_.async_wait([this](boost::system::error_code const& error, int) {
    if (!error) interrupted_ = true;
  });
}

Foreground::End Foreground::run_until(std::function<bool()> const& done, engine::Instant deadline) {
  while (!done()) {
    if (interrupted_) return End::interrupted;
    if (now() >= deadline) return End::timed_out;
    loop_.run_one_until(time_point_of(deadline));
  }
  return End::done;
}

void Foreground::run_until_interrupted() {
  while (!interrupted_) loop_.run_one();
}

}  // namespace dotkey::host::loop
