// SPDX-License-Identifier: Apache-2.0
// A relay: HTTP in front, the DHT behind, a cache in memory and a store on disk between them.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "core/base/result.h"
#include "core/engine/entropy.h"

#include "host/http/server.h"
#include "host/loop/node_driver.h"
#include "host/relay/service.h"
#include "host/relay/shared_commons.h"

namespace dotkey::host::relay {

struct RelaySettings {
  http::ServerSettings http;
  dotkey::relay::ServerSettings server;
  dotkey::relay::Quotas quotas;
  cache::Settings cache;
  // Absent: without the DHT, a relay of what it was given.
  std::optional<loop::NodeDriverSettings> node;
  std::string database;  // a path
  std::uint64_t packets_max = store::PacketStore::packets_max_default;
  std::string version;
};

class Relay {
 public:
  // Runs on `loop` and its HTTP threads until it is destroyed. `loop` and `entropy` outlive it.
  // Errors: network_socket_failed, store_unusable, file_unwritable.
  static base::Result<std::unique_ptr<Relay>> open(boost::asio::io_context& loop,
                                                   engine::Entropy& entropy,
                                                   RelaySettings settings);
  ~Relay();
  Relay(Relay const&) = delete;
  Relay& operator=(Relay const&) = delete;

  [[nodiscard]] std::uint16_t port() const { return http_->port(); }
  // Null without the DHT.
  [[nodiscard]] loop::NodeDriver* driver() const { return driver_.get(); }

 private:
  Relay(boost::asio::io_context& loop, engine::Entropy& entropy, RelaySettings settings);
  base::Result<void> start();
  void arm_board_timer();
  void update_board();

  boost::asio::io_context& loop_;
  engine::Entropy& entropy_;
  RelaySettings settings_;
  engine::Instant started_;
  engine::UnixTime started_at_;
  SharedCache cache_;
  SharedCommons commons_;
  StatusBoard board_;
  boost::asio::thread_pool verifiers_;
  std::unique_ptr<store::PacketStore> store_;
  std::unique_ptr<loop::NodeDriver> driver_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<ServiceWorld> world_;
  std::vector<std::shared_ptr<ServiceTotals const>> totals_;
  boost::asio::steady_timer board_timer_;
  std::unique_ptr<http::Server> http_;  // last: its threads end before what they use
};

}  // namespace dotkey::host::relay
