// SPDX-License-Identifier: Apache-2.0
// The relay on one thread of the HTTP server: packets by the core's relay server, pages by us.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "core/relay/server.h"

#include "host/http/server.h"
#include "host/relay/network.h"
#include "host/relay/status_page.h"

namespace dotkey::host::relay {

// What of a service other threads may read.
struct ServiceTotals {
  std::atomic<std::uint64_t> gets = 0;
  std::atomic<std::uint64_t> puts = 0;
  std::atomic<std::uint64_t> answered_from_cache = 0;
  std::atomic<std::uint64_t> rate_limited = 0;
  std::atomic<std::uint64_t> client_errors = 0;
  std::atomic<std::uint64_t> server_errors = 0;
  std::atomic<std::uint64_t> corrupt_rows = 0;
};

// What all services of a relay share. Outlives them.
struct ServiceWorld {
  dotkey::relay::ServerSettings server;
  std::vector<base::IpAddress> proxies;
  boost::asio::io_context& main_loop;
  Network& network;
  SharedCache& cache;
  dotkey::relay::Commons& commons;
  store::PacketStore& store;
  StatusBoard& board;
  boost::asio::thread_pool& verifiers;
};

// The cache, and behind it the disk. Used by one thread.
class Shelf final : public dotkey::relay::PacketShelf {
 public:
  Shelf(SharedCache& cache, std::unique_ptr<store::PacketReader> reader)
      : cache_(cache), reader_(std::move(reader)) {}

  std::optional<Entry> find(crypto::PublicKey const& key) override;
  void put(engine::Moment now, record::SignedPacket const& packet) override;
  [[nodiscard]] std::uint64_t corrupt() const { return reader_->corrupt(); }

 private:
  std::optional<Entry> find_cached(crypto::PublicKey const& key, bool& known_missing);

  SharedCache& cache_;
  std::unique_ptr<store::PacketReader> reader_;
  std::array<std::uint8_t, record::SignedPacket::size_max> bytes_{};
};

class Service;

// What other threads tell a service: collected, and handed over on the service's own thread.
class Inbox : public std::enable_shared_from_this<Inbox> {
 public:
  using Message = std::function<void(Service&)>;

  Inbox(boost::asio::io_context& loop, Service& service) : loop_(loop), service_(&service) {}
  // On any thread. Dropped once the service is gone.
  void send(Message message);
  void close();

 private:
  void deliver();

  std::mutex mutex_;
  boost::asio::io_context& loop_;  // outlives the service
  Service* service_;
  std::vector<Message> waiting_;  // not empty: a delivery is on its way
};

class Service final : public http::Service {
 public:
  Service(ServiceWorld const& world, http::Worker& worker,
          std::unique_ptr<store::PacketReader> reader);
  ~Service() override;

  bool on_request(engine::Moment now, dotkey::relay::Request const& request, http::RequestId id,
                  dotkey::relay::Response& out) override;
  void on_abandoned(http::RequestId id) override;

  [[nodiscard]] std::shared_ptr<ServiceTotals const> totals() const { return totals_; }

 private:
  bool answer_page(engine::Moment now, dotkey::relay::Request const& request,
                   dotkey::relay::Response& out);
  [[nodiscard]] base::IpAddress client_of(dotkey::relay::Request const& request) const;
  void drain();
  void resolve(dotkey::relay::ResolveWanted const& wanted);
  void verify(dotkey::relay::VerifyWanted wanted);
  void publish(dotkey::relay::PublishWanted wanted);
  void keep(dotkey::relay::PublishWanted const& wanted, dotkey::relay::PublishAnswer answer);
  void on_published(dotkey::relay::TicketId id, dotkey::relay::PublishAnswer const& answer);
  void respond(dotkey::relay::ResponseReady& ready);
  void publish_totals();

  ServiceWorld const& world_;
  http::Worker& worker_;
  Shelf shelf_;
  dotkey::relay::Server server_;
  std::unordered_map<std::uint64_t, dotkey::relay::TicketId> tickets_;
  std::unordered_map<std::uint32_t, http::RequestId> requests_;
  std::shared_ptr<ServiceTotals> totals_ = std::make_shared<ServiceTotals>();
  std::shared_ptr<Inbox> inbox_;
};

}  // namespace dotkey::host::relay
