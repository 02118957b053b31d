// SPDX-License-Identifier: Apache-2.0
// Everything long-lived in one process: one loop, one core, one socket for the programs of a user.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "core/base/result.h"
#include "core/engine/entropy.h"

#include "host/daemon/listener.h"
#include "host/daemon/lock_file.h"
#include "host/daemon/operations.h"
#include "host/driver/api_driver.h"
#include "host/store/paths.h"

namespace dotkey::host::daemon {

struct DaemonSettings {
  store::Paths paths;
  driver::ApiDriverSettings driver;
  std::string dht_state;  // where the routing table is kept
  std::string version;
};

class Daemon {
 public:
  // Serves on `loop` until it is destroyed, which saves what is to be kept. `loop` and `entropy`
  // outlive it. Errors: daemon_running, those of ApiDriver::open and Listener::open.
  static base::Result<std::unique_ptr<Daemon>> open(boost::asio::io_context& loop,
                                                    engine::Entropy& entropy,
                                                    DaemonSettings settings);
  ~Daemon();
  Daemon(Daemon const&) = delete;
  Daemon& operator=(Daemon const&) = delete;

  [[nodiscard]] std::string const& socket_path() const { return listener_->path(); }

 private:
  Daemon(DaemonSettings settings, LockFile lock);
  base::Result<void> start(boost::asio::io_context& loop, engine::Entropy& entropy);

  DaemonSettings settings_;
  LockFile lock_;  // first: goes last
  std::unique_ptr<driver::ApiDriver> driver_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace dotkey::host::daemon
