// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/daemon.h"

#include <utility>

#include "host/channel/socket_path.h"
#include "host/loop/clock.h"
#include "host/store/atomic_file.h"
#include "host/store/dht_state.h"

namespace dotkey::host::daemon {

using base::Result;

Result<std::unique_ptr<Daemon>> Daemon::open(boost::asio::io_context& loop,
                                             engine::Entropy& entropy, DaemonSettings settings) {
  std::string const& state_dir = settings.paths.state_dir;
  if (auto made = store::create_private_directory(state_dir); !made) {
    return tl::make_unexpected(made.error());
  }
  auto lock = LockFile::acquire(state_dir + "/daemon.lock");
  if (!lock) return tl::make_unexpected(lock.error());
  std::unique_ptr<Daemon> out(new Daemon(std::move(settings), std::move(*lock)));
  if (auto started = out->start(loop, entropy); !started) {
    return tl::make_unexpected(started.error());
  }
  return out;
}

Daemon::Daemon(DaemonSettings settings, LockFile lock)
    : settings_(std::move(settings)), lock_(std::move(lock)) {}

Result<void> Daemon::start(boost::asio::io_context& loop, engine::Entropy& entropy) {
  auto driver = driver::ApiDriver::open(loop, entropy, std::move(settings_.driver));
  if (!driver) return tl::make_unexpected(driver.error());
  driver_ = std::move(*driver);
  services_ = std::make_unique<Services>(
      Services{*driver_, settings_.paths, settings_.version, loop::unix_now()});
  auto listener = Listener::open(loop, channel::socket_paths(settings_.paths).front(),
                                 [this](Session& session, channel::Message message) {
                                   on_message(*services_, session, std::move(message));
                                 });
  if (!listener) return tl::make_unexpected(listener.error());
  listener_ = std::move(*listener);
  services_->listener = listener_.get();
  return {};
}

Daemon::~Daemon() {
  listener_.reset();
  loop::NodeDriver const* const dht = driver_ ? driver_->dht() : nullptr;
  if (dht == nullptr) return;
  dht::Status const status = dht->node().status();
  // A table that lost all its nodes to a dead network is worth less than the one on disk.
  if (status.nodes_v4 + status.nodes_v6 == 0) return;
  static_cast<void>(store::save_dht_state(settings_.dht_state, dht->node().encode_state()));
}

}  // namespace dotkey::host::daemon
