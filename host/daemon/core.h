// SPDX-License-Identifier: Apache-2.0
// All that operations work with, in one piece: the daemon has one, and so has a command that finds
// no daemon.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/result.h"
#include "core/engine/entropy.h"

#include "host/daemon/operations.h"

namespace dotkey::host::daemon {

struct CoreSettings {
  Network network;
  std::string state_dir;
  std::string keys_dir;
  driver::ApiDriverSettings driver;
  std::string dht_state;  // where the routing table is kept
  std::string version;
};

class Core {
 public:
  // Works on `loop` until it is destroyed, which saves the routing table. `loop` and `entropy`
  // outlive it. Errors: those of ApiDriver::open.
  static base::Result<std::unique_ptr<Core>> open(boost::asio::io_context& loop,
                                                  engine::Entropy& entropy, CoreSettings settings);
  ~Core();
  Core(Core const&) = delete;
  Core& operator=(Core const&) = delete;

  [[nodiscard]] Services& services() { return services_; }

 private:
  Core(boost::asio::io_context& loop, engine::Entropy& entropy, CoreSettings const& settings,
       std::unique_ptr<driver::ApiDriver> driver);
  void save_dht_state() const;
  void save_dht_state_later();

  std::string dht_state_;
  std::unique_ptr<driver::ApiDriver> driver_;
  store::AllowedKeys local_keys_;
  store::AllowedKeys http_keys_;
  StoredKeys stored_keys_;
  CertificateLooks certificate_looks_;
  Events events_;
  Services services_;
  boost::asio::steady_timer save_timer_;
};

}  // namespace dotkey::host::daemon
