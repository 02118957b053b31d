// SPDX-License-Identifier: Apache-2.0
#include "host/relay/relay.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "host/loop/clock.h"

namespace dotkey::host::relay {

Relay::Relay(boost::asio::io_context& loop, engine::Entropy& entropy, RelaySettings settings)
    : loop_(loop),
      entropy_(entropy),
      settings_(std::move(settings)),
      started_(loop::now()),
      started_at_(loop::unix_now()),
      cache_(settings_.cache, entropy.next_u64()),
      commons_(settings_.quotas, entropy.next_u64()),
      board_(settings_.version),
      verifiers_(std::max(std::thread::hardware_concurrency(), 1U)),
      board_timer_(loop) {}

Relay::~Relay() = default;

base::Result<std::unique_ptr<Relay>> Relay::open(boost::asio::io_context& loop,
                                                 engine::Entropy& entropy, RelaySettings settings) {
  std::unique_ptr<Relay> out(new Relay(loop, entropy, std::move(settings)));
  if (auto started = out->start(); !started) return tl::make_unexpected(started.error());
  return out;
}

base::Result<void> Relay::start() {
  auto store = store::PacketStore::open(settings_.database, settings_.packets_max);
  if (!store) return tl::make_unexpected(store.error());
  store_ = std::move(*store);
  if (settings_.node) {
    auto driver = loop::NodeDriver::open(loop_, entropy_, std::move(*settings_.node));
    if (!driver) return tl::make_unexpected(driver.error());
    driver_ = std::move(*driver);
  }
  network_ = std::make_unique<Network>(driver_.get(), cache_, *store_);
  settings_.server.verify_elsewhere = true;
  world_ = std::make_unique<ServiceWorld>(ServiceWorld{settings_.server, settings_.http.proxies,
                                                       loop_, *network_, cache_, commons_, *store_,
                                                       board_, verifiers_});

  std::vector<std::unique_ptr<store::PacketReader>> readers;
  for (std::uint32_t i = 0; i < settings_.http.threads; ++i) {
    auto reader = store::PacketReader::open(store_->path());
    if (!reader) return tl::make_unexpected(reader.error());
    readers.push_back(std::move(*reader));
  }
  update_board();
  auto server = http::Server::open(loop_, settings_.http, [&](http::Worker& worker) {
    auto service = std::make_unique<Service>(*world_, worker, std::move(readers.back()));
    readers.pop_back();
    totals_.push_back(service->totals());
    return service;
  });
  if (!server) return tl::make_unexpected(server.error());
  http_ = std::move(*server);
  arm_board_timer();
  return {};
}

void Relay::arm_board_timer() {
  board_timer_.expires_after(std::chrono::seconds(1));
  board_timer_.async_wait([this](boost::system::error_code const& error) {
    if (error) return;
    update_board();
    arm_board_timer();
  });
}

void Relay::update_board() {
  Figures out;
  out.uptime_s = static_cast<std::uint64_t>((loop::now() - started_).us / 1'000'000);
  out.started_s = static_cast<std::uint64_t>(started_at_.us / 1'000'000);
  if (driver_) {
    dht::Status const status = driver_->node().status();
    out.has_dht = true;
    out.dht_nodes = status.nodes_v4 + status.nodes_v6;
    out.dht_size = status.size_estimate;
    out.dht_deviation = status.size_deviation;
    out.dht_port = driver_->port_v4();
    out.dht_read_only = status.read_only;
  }
  auto const cached = cache_.totals();
  out.cache_packets = cached.entries;
  out.cache_bytes = cached.bytes;
  out.stored_packets = store_->counters().packets;
  out.stored_max = settings_.packets_max;
  out.store_failures = store_->counters().failed;
  if (http_) {
    http::ServerCounters const& http = http_->counters();
    out.connections = http.open;
    out.connections_refused = http.refused;
    out.requests = http.requests;
    out.requests_malformed = http.malformed;
    out.requests_timed_out = http.timed_out;
  }
  for (auto const& totals : totals_) {
    out.gets += totals->gets;
    out.puts += totals->puts;
    out.from_cache += totals->answered_from_cache;
    out.rate_limited += totals->rate_limited;
    out.client_errors += totals->client_errors;
    out.server_errors += totals->server_errors;
    out.corrupt_rows += totals->corrupt_rows;
  }
  board_.update(out);
}

}  // namespace dotkey::host::relay
