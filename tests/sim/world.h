// SPDX-License-Identifier: Apache-2.0
// A network of real dht::Node engines on virtual time. One seed, one trace.
#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/dht/node.h"

#include "tests/sim/census.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/faults.h"
#include "tests/sim/latency.h"
#include "tests/sim/liar.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::sim {

using base::Bytes;
using base::ByteView;
using base::Endpoint;
using engine::Duration;
using engine::Instant;
using HostIndex = std::uint32_t;

struct WorldSettings {
  std::uint32_t nodes = 1000;
  std::uint64_t seed = 1;
  Faults faults;
  LatencyModel latency;
  // For all nodes but the mode: reachable nodes are servers, nodes behind NAT adaptive.
  dht::Settings node;
  // False: nodes start with the tables of a long life, drawn from what only the simulator knows.
  // True: they join one after another through eight bootstrap nodes and live for `grown_for`. No
  // liars then: they have no way to join.
  bool grown = false;
  Duration grown_for = Duration::from_s(40 * 60);
  // Drawn tables hold at most so many nodes a bucket, for lives that were not so long.
  std::size_t bucket_max = std::numeric_limits<std::size_t>::max();
  // The run stops here: a loop of datagrams must not run for ever.
  std::uint64_t events_max = 2'000'000'000;
};

// Sees what happens at the hosts.
class Observer {
 public:
  virtual ~Observer() = default;
  // Every effect but SendDatagram and ResolveBootstrap.
  virtual void on_effect(HostIndex host, dht::Effect const& effect) = 0;
  // Datagrams of hosts that are watched: sent, and given to the node.
  virtual void on_sent(HostIndex host, Endpoint const& to, ByteView payload) = 0;
  virtual void on_received(HostIndex host, Endpoint const& from, ByteView payload) = 0;
};

struct Traffic {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;       // by the loss fault
  std::uint64_t to_nobody = 0;  // the node has gone or never was
  std::uint64_t filtered = 0;   // by NAT
  std::uint64_t duplicated = 0;
  std::uint64_t bytes = 0;
};

class World {
 public:
  explicit World(WorldSettings const& settings);
  ~World();
  World(World const&) = delete;
  World& operator=(World const&) = delete;

  [[nodiscard]] Instant now() const { return now_; }
  void run_until(Instant end);
  void run_for(Duration duration) { run_until(now_ + duration); }
  // Runs `call` at `at`, not before now.
  void at(Instant at, std::function<void()> call);

  void set_observer(Observer* observer) { observer_ = observer; }
  // Calls `command` with the host's node and drains it.
  template <class Command>
  auto command(HostIndex host, Command const& command) {
    auto result = command(*hosts_[host].node, now_);
    drain(host);
    return result;
  }
  // A live, honest host, behind NAT or not.
  HostIndex draw_host();
  // While watched a host's datagrams are observed and it does not leave.
  void watch(HostIndex host, bool on);
  [[nodiscard]] bool is_watched(HostIndex host) const { return hosts_[host].watched != 0; }

  // Whether the host's own store gives an item for `target`; its sequence.
  std::optional<std::int64_t> sequence_stored(HostIndex host, NodeId const& target);
  // The honest nodes that are alive and reachable.
  [[nodiscard]] Census const& honest() const { return honest_; }
  [[nodiscard]] double mean_table_size() const;
  [[nodiscard]] Lore& lore() { return lore_; }
  [[nodiscard]] test::SeededEntropy& random() { return random_; }
  [[nodiscard]] Traffic const& traffic() const { return traffic_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] bool reached_events_max() const { return events_ >= settings_.events_max; }
  // FNV-1a over time, ends and content of every datagram delivered so far.
  [[nodiscard]] std::uint64_t trace_hash() const { return trace_; }
  [[nodiscard]] dht::Node const& node(HostIndex host) const { return *hosts_[host].node; }
  [[nodiscard]] bool is_behind_nat(HostIndex host) const { return hosts_[host].nat; }
  [[nodiscard]] std::size_t hosts() const { return hosts_.size(); }

 private:
  static constexpr Instant never{std::numeric_limits<std::int64_t>::max()};

  struct Pinholes {
    std::unordered_map<Endpoint, Instant, base::HashEndpoint> last_sent;
    std::size_t prune_at = 64;
  };
  struct Host {
    explicit Host(std::uint64_t seed) : entropy(seed) {}
    test::SeededEntropy entropy;
    std::unique_ptr<dht::Node> node;  // null: a liar, or gone
    std::unique_ptr<Liar> liar;
    // Whom a host behind NAT wrote to, and when last.
    std::unique_ptr<Pinholes> pinholes;
    NodeInfo self;
    Instant timer = never;
    double position = 0;
    std::uint32_t watched = 0;
    bool nat = false;
    bool bootstrap = false;
  };
  struct Datagram {
    Endpoint from;
    Endpoint to;
    HostIndex host = 0;  // the receiver
    Bytes payload;
  };

  void enlist(HostIndex host);
  void populate_matured();
  void populate_grown();
  HostIndex add_host(bool nat);
  std::optional<Lie> next_lie();
  void start_node(HostIndex host);
  void start_liar(HostIndex host, Lie lie);
  void remove_host(HostIndex host);
  void bootstrap(HostIndex host);
  void schedule_departure();
  void depart();
  base::IpAddress draw_address();

  void step();
  void drain(HostIndex host);
  void arm(HostIndex host);
  void on_timer(HostIndex host, Instant at);
  void transmit(HostIndex sender, Endpoint const& from, Endpoint const& to, Bytes payload);
  void deliver(Datagram datagram);
  void open_pinhole(Host& host, Endpoint const& to);
  [[nodiscard]] bool passes_nat(Host const& host, Endpoint const& from) const;
  void trace(Datagram const& datagram);

  WorldSettings settings_;
  test::SeededEntropy random_;
  Instant now_{1'000'000'000};
  EventQueue queue_;
  Slab<Datagram> datagrams_;
  Slab<std::function<void()>> calls_;
  std::deque<Host> hosts_;  // a node keeps a reference to its host's entropy
  // Who receives at an address: every simulated node has one of its own.
  std::unordered_map<base::IpAddress, HostIndex, base::HashEndpoint> by_address_;
  std::vector<HostIndex> live_;  // honest, for draw_host and churn
  Census honest_;                // honest and reachable
  Census reachable_;             // liars too
  Lore lore_;
  Observer* observer_ = nullptr;
  Traffic traffic_;
  std::uint64_t events_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325ULL;
  std::uint32_t liars_made_ = 0;
  bool is_populating_ = true;  // the censuses are sorted once at the end
};

}  // namespace dotkey::sim
