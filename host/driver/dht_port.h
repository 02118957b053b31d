// SPDX-License-Identifier: Apache-2.0
// Carries out what an api::Node wants of the DHT, as soon as there are nodes to ask.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/api/node.h"

#include "host/loop/node_driver.h"

namespace dotkey::host::driver {

struct DhtPortSettings {
  // A network smaller than a lookup is wide never fills the table: so long is it given, then what
  // is there has to do.
  engine::Duration few_nodes_patience = engine::Duration::from_ms(1500);
  // So long may a name server and the first datagrams take; then there is no DHT.
  engine::Duration no_nodes_patience = engine::Duration::from_s(10);
};

class DhtPort {
 public:
  // What happened to the operations, on the loop.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_dht_item(api::DhtId id, dht::MutableItem const& item) = 0;
    virtual void on_dht_progress(api::DhtId id, dht::Tally const& tally, std::uint32_t stored) = 0;
    virtual void on_dht_finished(api::DhtId id, dht::Outcome const& outcome) = 0;
    virtual void on_dht_not_started(api::DhtId id, base::ErrorCode error) = 0;
  };

  // All outlive this object.
  DhtPort(boost::asio::io_context& loop, loop::NodeDriver& driver, DhtPortSettings const& settings,
          Listener& listener);
  ~DhtPort();
  DhtPort(DhtPort const&) = delete;
  DhtPort& operator=(DhtPort const&) = delete;

  void start(api::StartDhtGet get);
  void start(api::StartDhtPut put);
  void cancel(api::DhtId id);

  [[nodiscard]] std::uint32_t nodes_known() const;

 private:
  struct Waiting {
    api::DhtId id;
    loop::NodeDriver::Command command;
    engine::Instant since;
  };
  enum class Readiness : std::uint8_t { ready, waiting, hopeless };

  void run_or_wait(api::DhtId id, loop::NodeDriver::Command command);
  void run(api::DhtId id, loop::NodeDriver::Command const& command);
  [[nodiscard]] Readiness readiness(engine::Instant since, base::ErrorCode& error) const;
  void look_again_later();
  void look_again();

  boost::asio::steady_timer timer_;
  loop::NodeDriver& driver_;
  DhtPortSettings settings_;
  Listener& listener_;
  engine::Instant opened_;
  std::map<api::DhtId, dht::OperationId> running_;
  std::vector<Waiting> waiting_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // watchers may outlive this object
};

}  // namespace dotkey::host::driver
