// SPDX-License-Identifier: Apache-2.0
// Drives an api::Node: its DHT node, its database and its timer. The daemon and the commands that
// run without one use this class.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/api/node.h"
#include "core/base/result.h"

#include "host/driver/dht_port.h"
#include "host/loop/node_driver.h"
#include "host/store/packet_store.h"

namespace dotkey::host::driver {

struct ApiDriverSettings {
  api::Settings api;
  // Absent: without the DHT.
  std::optional<loop::NodeDriverSettings> dht;
  DhtPortSettings dht_port;
  std::string packets;  // the database's path
};

class ApiDriver final : private DhtPort::Listener {
 public:
  // `loop` and `entropy` outlive the driver. Errors: network_socket_failed, store_unusable,
  // file_unwritable, relay_url_malformed.
  static base::Result<std::unique_ptr<ApiDriver>> open(boost::asio::io_context& loop,
                                                       engine::Entropy& entropy,
                                                       ApiDriverSettings settings);
  ~ApiDriver() override;
  ApiDriver(ApiDriver const&) = delete;
  ApiDriver& operator=(ApiDriver const&) = delete;

  // Commands of api::Node. The callback runs once, perhaps before the command returns, unless the
  // driver is destroyed first. Errors: the command's; the callback does not run then.
  using OnResolved = std::function<void(resolve::Outcome)>;
  base::Result<api::RequestId> resolve(crypto::PublicKey const& key,
                                       resolve::Options const& options, OnResolved on_resolved);
  void cancel(api::RequestId id);

  [[nodiscard]] api::Node const& node() const { return *node_; }
  // Null without the DHT.
  [[nodiscard]] loop::NodeDriver const* dht() const { return dht_.get(); }
  [[nodiscard]] store::PacketStore const& packets() const { return *packets_; }

 private:
  class Archive;

  explicit ApiDriver(boost::asio::io_context& loop);
  base::Result<void> start(engine::Entropy& entropy, ApiDriverSettings settings);

  void on_dht_item(api::DhtId id, dht::MutableItem const& item) override;
  void on_dht_progress(api::DhtId id, dht::Tally const& tally, std::uint32_t stored) override;
  void on_dht_finished(api::DhtId id, dht::Outcome const& outcome) override;
  void on_dht_not_started(api::DhtId id, base::ErrorCode error) override;

  void drain();
  void carry_out(api::Effect& effect);
  void arm_timer();

  boost::asio::io_context& loop_;
  std::unique_ptr<store::PacketStore> packets_;
  std::unique_ptr<Archive> archive_;
  std::unique_ptr<loop::NodeDriver> dht_;
  std::unique_ptr<DhtPort> dht_port_;
  std::unique_ptr<api::Node> node_;
  bool draining_ = false;
  boost::asio::steady_timer timer_;
  std::optional<engine::Instant> armed_for_;

  std::unordered_map<std::uint64_t, OnResolved> resolves_;
};

}  // namespace dotkey::host::driver
