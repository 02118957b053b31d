// SPDX-License-Identifier: Apache-2.0
#include "host/driver/api_driver.h"

#include <utility>
#include <variant>

#include "host/loop/clock.h"

namespace dotkey::host::driver {

using base::Result;

namespace {

engine::Moment moment() {
  return {loop::now(), loop::unix_now()};
}

}  // namespace

// The database as the core sees it.
class ApiDriver::Archive final : public api::PacketArchive {
 public:
  explicit Archive(std::unique_ptr<store::PacketReader> reader) : reader_(std::move(reader)) {}

  std::optional<Stored> find(crypto::PublicKey const& key) override {
    auto stored = reader_->find(key);
    if (!stored) return std::nullopt;
    return Stored{std::move(stored->packet), stored->last_seen};
  }

 private:
  std::unique_ptr<store::PacketReader> reader_;
};

Result<std::unique_ptr<ApiDriver>> ApiDriver::open(boost::asio::io_context& loop,
                                                   engine::Entropy& entropy,
                                                   ApiDriverSettings settings) {
  std::unique_ptr<ApiDriver> out(new ApiDriver(loop));
  if (auto started = out->start(entropy, std::move(settings)); !started) {
    return tl::make_unexpected(started.error());
  }
  return out;
}

ApiDriver::ApiDriver(boost::asio::io_context& loop) : loop_(loop), timer_(loop) {}

ApiDriver::~ApiDriver() = default;

Result<void> ApiDriver::start(engine::Entropy& entropy, ApiDriverSettings settings) {
  auto packets = store::PacketStore::open(settings.packets);
  if (!packets) return tl::make_unexpected(packets.error());
  packets_ = std::move(*packets);
  auto reader = store::PacketReader::open(settings.packets);
  if (!reader) return tl::make_unexpected(reader.error());
  archive_ = std::make_unique<Archive>(std::move(*reader));
  node_ = std::make_unique<api::Node>(settings.api, entropy, archive_.get());
  if (settings.dht) {
    auto dht = loop::NodeDriver::open(loop_, entropy, std::move(*settings.dht));
    if (!dht) return tl::make_unexpected(dht.error());
    dht_ = std::move(*dht);
    DhtPort::Listener& listener = *this;
    dht_port_ = std::make_unique<DhtPort>(loop_, *dht_, settings.dht_port, listener);
  }
  node_->set_sources({dht_ != nullptr, true});
  drain();
  return {};
}

Result<api::RequestId> ApiDriver::resolve(crypto::PublicKey const& key,
                                          resolve::Options const& options, OnResolved on_resolved) {
  auto const id = node_->resolve(moment(), key, options);
  if (id) resolves_.emplace(static_cast<std::uint64_t>(*id), std::move(on_resolved));
  drain();
  return id;
}

void ApiDriver::cancel(api::RequestId id) {
  node_->cancel(moment(), id);
  drain();
}

void ApiDriver::on_dht_item(api::DhtId id, dht::MutableItem const& item) {
  node_->on_dht_item(moment(), id, item);
  drain();
}

void ApiDriver::on_dht_progress(api::DhtId id, dht::Tally const& tally, std::uint32_t stored) {
  node_->on_dht_progress(moment(), id, tally, stored);
  drain();
}

void ApiDriver::on_dht_finished(api::DhtId id, dht::Outcome const& outcome) {
  node_->on_dht_finished(moment(), id, outcome);
  drain();
}

void ApiDriver::on_dht_not_started(api::DhtId id, base::ErrorCode error) {
  node_->on_dht_not_started(moment(), id, error);
  drain();
}

void ApiDriver::drain() {
  // A callback may give the next command, which comes back here: the outer loop goes on for it.
  if (draining_) return;
  draining_ = true;
  while (auto effect = node_->poll_effect()) carry_out(*effect);
  draining_ = false;
  arm_timer();
}

void ApiDriver::carry_out(api::Effect& effect) {
  if (auto* const get = std::get_if<api::StartDhtGet>(&effect)) {
    dht_port_->start(std::move(*get));
  } else if (auto* const put = std::get_if<api::StartDhtPut>(&effect)) {
    dht_port_->start(std::move(*put));
  } else if (auto* const cancel = std::get_if<api::CancelDht>(&effect)) {
    dht_port_->cancel(cancel->id);
  } else if (auto* const store = std::get_if<api::StorePacket>(&effect)) {
    // A full queue loses a copy; the network has the packet.
    packets_->put(store->packet, store->last_seen, nullptr);
  } else if (auto* const resolved = std::get_if<api::Resolved>(&effect)) {
    auto entry = resolves_.extract(static_cast<std::uint64_t>(resolved->id));
    if (!entry.empty()) entry.mapped()(std::move(resolved->outcome));
  }
}

void ApiDriver::arm_timer() {
  auto const deadline = node_->next_deadline();
  if (!deadline || (armed_for_ && *armed_for_ <= *deadline)) return;
  armed_for_ = deadline;
  timer_.expires_at(loop::time_point_of(*deadline));
  timer_.async_wait([this](boost::system::error_code const& error) {
    if (error) return;  // set anew, or this object is gone
    armed_for_.reset();
    auto const due = node_->next_deadline();
    if (due && *due <= loop::now()) node_->on_deadline(moment());
    drain();
  });
}

}  // namespace dotkey::host::driver
