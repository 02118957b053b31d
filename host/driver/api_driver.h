// SPDX-License-Identifier: Apache-2.0
// Drives an api::Node: its DHT node, its HTTP client, its databases and its timer. The daemon and
// the commands that run without one use this class.
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
#include "host/http/fetcher.h"
#include "host/loop/node_driver.h"
#include "host/store/packet_store.h"
#include "host/store/row_store.h"

namespace dotkey::host::driver {

struct ApiDriverSettings {
  api::Settings api;
  // Absent: without the DHT.
  std::optional<loop::NodeDriverSettings> dht;
  DhtPortSettings dht_port;
  std::vector<std::string> relays;
  // Databases, by their paths.
  std::string packets;
  std::uint64_t packets_max = store::PacketStore::packets_max_default;
  std::string rows;
};

class ApiDriver final : private DhtPort::Listener {
 public:
  // Sees what happens, on the loop; may give commands.
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void on_progress(api::Progress const&) {}
    // A packet new to this machine, or newer than the one known.
    virtual void on_learned(record::SignedPacket const&) {}
    // Another device's packet is kept alive from now on, in place of ours.
    virtual void on_adopted(record::SignedPacket const&) {}
  };

  // `loop` and `entropy` outlive the driver. Errors: network_socket_failed, store_unusable,
  // file_unwritable, relay_url_malformed, number_out_of_range.
  static base::Result<std::unique_ptr<ApiDriver>> open(boost::asio::io_context& loop,
                                                       engine::Entropy& entropy,
                                                       ApiDriverSettings settings);
  ~ApiDriver() override;
  ApiDriver(ApiDriver const&) = delete;
  ApiDriver& operator=(ApiDriver const&) = delete;

  // Commands of api::Node. The callback runs once, perhaps before the command returns, unless the
  // driver is destroyed first. Errors: the command's; the callback does not run then.
  using OnResolved = std::function<void(resolve::Outcome)>;
  using OnEndpoints = std::function<void(resolve::EndpointSearch)>;
  using OnPublished = std::function<void(publish::Outcome)>;
  base::Result<api::RequestId> resolve(crypto::PublicKey const& key,
                                       resolve::Options const& options, OnResolved on_resolved);
  base::Result<api::RequestId> find_endpoints(resolve::EndpointQuery query,
                                              api::EndpointOptions const& options,
                                              OnEndpoints on_endpoints);
  base::Result<api::RequestId> publish(record::SignedPacket const& packet, publish::Options options,
                                       OnPublished on_published);
  void cancel(api::RequestId id);
  base::Result<void> keep_alive(record::SignedPacket const& packet);
  void forget(crypto::PublicKey const& key);
  base::Result<void> set_relays(std::vector<std::string> const& urls);
  void change_settings(api::ChangeableSettings const& settings, std::uint64_t packets_max);

  void add_observer(Observer& observer) { observers_.push_back(&observer); }
  void remove_observer(Observer& observer) { std::erase(observers_, &observer); }

  [[nodiscard]] api::Node const& node() const { return *node_; }
  // See api::Node::newest_known().
  [[nodiscard]] std::optional<record::SignedPacket> newest_known(crypto::PublicKey const& key);
  // Null without the DHT.
  [[nodiscard]] loop::NodeDriver const* dht() const { return dht_.get(); }
  [[nodiscard]] store::PacketStore const& packets() const { return *packets_; }
  // Rows that the disk did not take.
  [[nodiscard]] std::uint64_t rows_failed() const { return rows_failed_; }

 private:
  class Archive;

  explicit ApiDriver(boost::asio::io_context& loop);
  base::Result<void> start(engine::Entropy& entropy, ApiDriverSettings settings);
  base::Result<void> open_stores(ApiDriverSettings const& settings);
  base::Result<void> open_rows();
  void load_rows();

  void on_dht_item(api::DhtId id, dht::MutableItem const& item) override;
  void on_dht_progress(api::DhtId id, dht::Tally const& tally, std::uint32_t stored) override;
  void on_dht_finished(api::DhtId id, dht::Outcome const& outcome) override;
  void on_dht_not_started(api::DhtId id, base::ErrorCode error) override;
  void on_fetched(dotkey::relay::FetchId id, http::Fetcher::Result const& result);

  void drain();
  void arm_timer();
  // What the core wants done.
  void carry_out(api::StartDhtGet& get) { dht_port_->start(std::move(get)); }
  void carry_out(api::StartDhtPut& put) { dht_port_->start(std::move(put)); }
  void carry_out(api::CancelDht const& cancel) { dht_port_->cancel(cancel.id); }
  void carry_out(dotkey::relay::FetchUrl& fetch);
  void carry_out(dotkey::relay::CancelFetch const& cancel) { fetcher_.cancel(cancel.id); }
  void carry_out(api::StorePacket const& store);
  void carry_out(publish::SaveRow const& save);
  void carry_out(publish::DropRow const& drop);
  void carry_out(publish::Adopted const& adopted);
  void carry_out(api::Resolved& resolved);
  void carry_out(api::EndpointsFound& found);
  void carry_out(api::Published& published);
  void carry_out(api::Progress const& progress);

  boost::asio::io_context& loop_;
  std::unique_ptr<store::PacketStore> packets_;
  std::unique_ptr<Archive> archive_;
  std::string rows_path_;
  std::unique_ptr<store::RowStore> rows_;  // null before the first row
  std::unique_ptr<loop::NodeDriver> dht_;
  std::unique_ptr<DhtPort> dht_port_;
  http::Fetcher fetcher_;
  std::unique_ptr<api::Node> node_;
  bool draining_ = false;
  boost::asio::steady_timer timer_;
  std::optional<engine::Instant> armed_for_;

  std::unordered_map<std::uint64_t, OnResolved> resolves_;
  std::unordered_map<std::uint64_t, OnEndpoints> searches_;
  std::unordered_map<std::uint64_t, OnPublished> publications_;
  std::vector<Observer*> observers_;
  std::uint64_t rows_failed_ = 0;
};

}  // namespace dotkey::host::driver
