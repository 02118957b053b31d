// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/core.h"

#include <utility>

#include "host/loop/clock.h"
#include "host/store/dht_state.h"

namespace dotkey::host::daemon {

using base::Result;

namespace {

constexpr std::chrono::minutes save_interval{10};

}  // namespace

Result<std::unique_ptr<Core>> Core::open(boost::asio::io_context& loop, engine::Entropy& entropy,
                                         CoreSettings settings) {
  auto driver = driver::ApiDriver::open(loop, entropy, std::move(settings.driver));
  if (!driver) return tl::make_unexpected(driver.error());
  return std::unique_ptr<Core>(new Core(loop, entropy, settings, std::move(*driver)));
}

Core::Core(boost::asio::io_context& loop, engine::Entropy& entropy, CoreSettings const& settings,
           std::unique_ptr<driver::ApiDriver> driver)
    : dht_state_(settings.dht_state),
      driver_(std::move(driver)),
      local_keys_(store::AllowedKeys::local_path_in(settings.state_dir)),
      http_keys_(store::AllowedKeys::http_path_in(settings.state_dir)),
      stored_keys_(loop, entropy, settings.keys_dir),
      certificate_looks_(loop),
      events_(*driver_),
      services_{*driver_,           local_keys_,     http_keys_,       stored_keys_,
                certificate_looks_, events_,         settings.network, settings.state_dir,
                settings.version,   loop::unix_now()},
      save_timer_(loop) {
  save_dht_state_later();
}

Core::~Core() {
  save_dht_state();
}

void Core::save_dht_state() const {
  loop::NodeDriver const* const dht = driver_->dht();
  if (dht == nullptr) return;
  dht::Status const status = dht->node().status();
  // A table that lost all its nodes to a dead network is worth less than the one on disk.
  if (status.nodes_v4 + status.nodes_v6 == 0) return;
  static_cast<void>(store::save_dht_state(dht_state_, dht->node().encode_state()));
}

void Core::save_dht_state_later() {
  save_timer_.expires_after(save_interval);
  save_timer_.async_wait([this](boost::system::error_code const& error) {
    if (error) return;
    save_dht_state();
    save_dht_state_later();
  });
}

}  // namespace dotkey::host::daemon
