// SPDX-License-Identifier: Apache-2.0
// Puts and gets by random nodes of a world, and what they cost.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "tests/sim/world.h"

namespace dotkey::sim {

struct GetSample {
  bool finished = false;
  bool found = false;    // ended with the newest item
  bool stale = false;    // ended with an older item of the key
  bool wrong = false;    // reported, at any time, an item the key never signed
  double first_ms = -1;  // until the newest item was first reported; -1: never
  double finished_ms = 0;
  // Queries the asking node sent from the command on. All its queries count, routine maintenance
  // too; answers to other nodes' queries do not.
  std::uint32_t sent_to_first = 0;
  std::uint32_t sent = 0;
  // 1 = the first value came from a node out of the asker's own routing table, 2 = from a node that
  // such a node named, and so on.
  std::uint32_t hops = 0;
};

struct PutSample {
  bool finished = false;
  std::uint32_t acknowledged = 0;
  // How many of the 20 closest nodes that are alive, reachable and honest hold the item a second
  // after the put ended.
  std::uint32_t coverage = 0;
  std::uint32_t sent = 0;
  double finished_ms = 0;
};

class Experiment final : public Observer {
 public:
  explicit Experiment(World& world);
  ~Experiment() override;
  Experiment(Experiment const&) = delete;
  Experiment& operator=(Experiment const&) = delete;

  // Makes `count` items of random keys and puts each from a random node, one every `interval`.
  std::vector<PutSample> put_items(std::uint32_t count, Duration interval);
  // Puts the items made so far once more, from random nodes.
  std::vector<PutSample> put_again(Duration interval);
  // `count` gets of random items by random nodes, one every `interval`.
  std::vector<GetSample> get_items(std::uint32_t count, Duration interval,
                                   dht::GetOptions const& options);

  void on_effect(HostIndex host, dht::Effect const& effect) override;
  void on_sent(HostIndex host, Endpoint const& to, ByteView payload) override;
  void on_received(HostIndex host, Endpoint const& from, ByteView payload) override;

 private:
  // One command under way; at most one a host.
  struct Running {
    dht::OperationId id{};
    Instant started;
    dht::MutableItem const* item = nullptr;
    std::uint32_t sent = 0;
    GetSample* get = nullptr;
    PutSample* put = nullptr;
    // How many steps from the own table each endpoint was heard of; the last sender.
    std::unordered_map<Endpoint, std::uint32_t, base::HashEndpoint> depth;
    std::optional<Endpoint> last_sender;
  };

  dht::MutableItem make_item();
  HostIndex draw_idle_host();
  void start_get(GetSample& sample, dht::GetOptions const& options);
  void start_put(PutSample& sample, dht::MutableItem const& item);
  std::vector<PutSample> put_from(std::size_t first_item, Duration interval);
  void on_item(Running& running, dht::MutableItem const& item);
  void on_finished(HostIndex host, Running& running, dht::Outcome const& outcome);
  // Schedules `call` unless this round is over by then.
  void at(Instant at, std::function<void()> call);
  void measure_coverage(PutSample& sample, dht::MutableItem const& item);
  void run_until_idle(Instant all_started);
  // Authentic, though perhaps not the newest.
  [[nodiscard]] bool is_authentic(dht::MutableItem const& wanted,
                                  dht::MutableItem const& got) const;

  World& world_;
  std::deque<dht::MutableItem> items_;
  std::unordered_map<HostIndex, Running> running_;
  std::uint32_t pending_ = 0;  // commands and measurements not done yet
  // Calls scheduled in an earlier round must not touch samples that have gone.
  std::uint32_t round_ = 0;
};

}  // namespace dotkey::sim
