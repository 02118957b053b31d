// SPDX-License-Identifier: Apache-2.0
#include "host/driver/api_driver.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "host/loop/clock.h"
#include "host/store/atomic_file.h"

namespace dotkey::host::driver {

using base::Result;

namespace {

engine::Moment moment() {
  return {loop::now(), loop::unix_now()};
}

std::uint64_t number_of(api::RequestId id) {
  return static_cast<std::uint64_t>(id);
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

ApiDriver::ApiDriver(boost::asio::io_context& loop) : loop_(loop), fetcher_(loop), timer_(loop) {}

ApiDriver::~ApiDriver() = default;

Result<void> ApiDriver::open_stores(ApiDriverSettings const& settings) {
  auto packets = store::PacketStore::open(settings.packets, settings.packets_max);
  if (!packets) return tl::make_unexpected(packets.error());
  packets_ = std::move(*packets);
  auto reader = store::PacketReader::open(settings.packets);
  if (!reader) return tl::make_unexpected(reader.error());
  archive_ = std::make_unique<Archive>(std::move(*reader));
  rows_path_ = settings.rows;
  if (!store::exists(rows_path_)) return {};
  return open_rows();
}

Result<void> ApiDriver::open_rows() {
  auto rows = store::RowStore::open(rows_path_);
  if (!rows) return tl::make_unexpected(rows.error());
  rows_ = std::make_unique<store::RowStore>(std::move(*rows));
  return {};
}

Result<void> ApiDriver::start(engine::Entropy& entropy, ApiDriverSettings settings) {
  if (auto opened = open_stores(settings); !opened) return opened;
  node_ = std::make_unique<api::Node>(settings.api, entropy, archive_.get());
  if (auto set = node_->set_relays(settings.relays); !set) return set;
  if (settings.dht) {
    auto dht = loop::NodeDriver::open(loop_, entropy, std::move(*settings.dht));
    if (!dht) return tl::make_unexpected(dht.error());
    dht_ = std::move(*dht);
    DhtPort::Listener& listener = *this;
    dht_port_ = std::make_unique<DhtPort>(loop_, *dht_, settings.dht_port, listener);
  }
  node_->set_sources({dht_ != nullptr, true});
  load_rows();
  drain();
  return {};
}

void ApiDriver::load_rows() {
  if (!rows_) return;
  rows_->for_each([this](base::ByteView row) {
    // A damaged row costs its key the republication; the others go on.
    static_cast<void>(node_->add_row(moment(), row));
  });
}

Result<api::RequestId> ApiDriver::resolve(crypto::PublicKey const& key,
                                          resolve::Options const& options, OnResolved on_resolved) {
  auto const id = node_->resolve(moment(), key, options);
  if (id) resolves_.emplace(number_of(*id), std::move(on_resolved));
  drain();
  return id;
}

Result<api::RequestId> ApiDriver::find_endpoints(resolve::EndpointQuery query,
                                                 api::EndpointOptions const& options,
                                                 OnEndpoints on_endpoints) {
  auto const id = node_->find_endpoints(moment(), std::move(query), options);
  if (id) searches_.emplace(number_of(*id), std::move(on_endpoints));
  drain();
  return id;
}

Result<api::RequestId> ApiDriver::publish(record::SignedPacket const& packet,
                                          publish::Options options, OnPublished on_published) {
  // A network of five nodes cannot store anything ten times.
  std::uint32_t const nodes = dht_port_ ? dht_port_->nodes_known() : 0;
  if (!options.dht_nodes_min && nodes > 0) {
    options.dht_nodes_min = std::min(publish::Settings().dht_nodes_min, nodes);
  }
  auto const id = node_->publish(moment(), packet, options);
  if (id) publications_.emplace(number_of(*id), std::move(on_published));
  drain();
  return id;
}

Result<void> ApiDriver::keep_alive(record::SignedPacket const& packet) {
  auto done = node_->keep_alive(moment(), packet);
  drain();
  return done;
}

void ApiDriver::forget(crypto::PublicKey const& key) {
  node_->forget(moment(), key);
  drain();
}

Result<void> ApiDriver::set_relays(std::vector<std::string> const& urls) {
  return node_->set_relays(urls);
}

void ApiDriver::change_settings(api::ChangeableSettings const& settings,
                                std::uint64_t packets_max) {
  packets_->set_packets_max(packets_max);
  node_->change_settings(moment(), settings);
  drain();
}

std::optional<record::SignedPacket> ApiDriver::newest_known(crypto::PublicKey const& key) {
  return node_->newest_known(moment(), key);
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

void ApiDriver::on_fetched(dotkey::relay::FetchId id, http::Fetcher::Result const& result) {
  if (!result) {
    node_->on_fetch_failed(moment(), id, result.error());
    return drain();
  }
  std::vector<dotkey::relay::HeaderView> headers;
  for (dotkey::relay::Header const& header : result->headers) {
    headers.push_back({header.name, header.value});
  }
  node_->on_fetched(moment(), id, {result->status, headers, result->body});
  drain();
}

void ApiDriver::drain() {
  // A callback may give the next command, which comes back here: the outer loop goes on for it.
  if (draining_) return;
  draining_ = true;
  while (auto effect = node_->poll_effect()) {
    std::visit([this](auto& wanted) { carry_out(wanted); }, *effect);
  }
  draining_ = false;
  arm_timer();
}

void ApiDriver::carry_out(dotkey::relay::FetchUrl& fetch) {
  dotkey::relay::FetchId const id = fetch.id;
  fetcher_.start(std::move(fetch),
                 [this, id](http::Fetcher::Result const& result) { on_fetched(id, result); });
}

void ApiDriver::carry_out(api::StorePacket const& store) {
  // A full queue loses a copy; the network has the packet.
  packets_->put(store.packet, store.last_seen, nullptr);
  for (Observer* const observer : std::vector(observers_)) observer->on_learned(store.packet);
}

void ApiDriver::carry_out(publish::SaveRow const& save) {
  // With a full disk the key is kept alive for as long as this process lives.
  bool const open = rows_ || open_rows();
  if (!open || !rows_->save(save.key, save.row)) ++rows_failed_;
}

void ApiDriver::carry_out(publish::DropRow const& drop) {
  if (rows_ && !rows_->drop(drop.key)) ++rows_failed_;
}

void ApiDriver::carry_out(publish::Adopted const& adopted) {
  for (Observer* const observer : std::vector(observers_)) observer->on_adopted(adopted.packet);
}

void ApiDriver::carry_out(api::Resolved& resolved) {
  auto const entry = resolves_.extract(number_of(resolved.id));
  if (!entry.empty()) entry.mapped()(std::move(resolved.outcome));
}

void ApiDriver::carry_out(api::EndpointsFound& found) {
  auto const entry = searches_.extract(number_of(found.id));
  if (!entry.empty()) entry.mapped()(std::move(found.search));
}

void ApiDriver::carry_out(api::Published& published) {
  auto const entry = publications_.extract(number_of(published.id));
  if (!entry.empty()) entry.mapped()(std::move(published.outcome));
}

void ApiDriver::carry_out(api::Progress const& progress) {
  for (Observer* const observer : std::vector(observers_)) observer->on_progress(progress);
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
