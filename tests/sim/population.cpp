// SPDX-License-Identifier: Apache-2.0
// How a world gets its inhabitants: matured, grown, and replaced under churn.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/base/assert.h"
#include "core/dht/node_id.h"

#include "tests/sim/world.h"

namespace dotkey::sim {

namespace {

// Six nodes must agree on an address before its owner becomes a server: fewer first ones would stay
// alone.
constexpr std::uint32_t bootstrap_hosts = 8;
constexpr Duration joining_interval = Duration::from_ms(250);
constexpr std::uint16_t mainline_port = 6881;

std::uint32_t share_of(std::uint32_t count, double share) {
  return static_cast<std::uint32_t>(std::llround(static_cast<double>(count) * share));
}

}  // namespace

base::IpAddress World::draw_address() {
  for (;;) {
    std::array<std::uint8_t, 4> bytes{};
    random_.fill(bytes);
    auto const out = base::IpAddress::v4(bytes);
    if (out.is_global() && !by_address_.contains(out)) return out;
  }
}

// The kinds of lies take turns.
std::optional<Lie> World::next_lie() {
  if (settings_.faults.lies == 0) return std::nullopt;
  for (;;) {
    std::uint32_t const kind = liars_made_++ % lies_count;
    if ((settings_.faults.lies >> kind & 1U) != 0) return static_cast<Lie>(kind);
  }
}

double World::mean_table_size() const {
  double sum = 0;
  for (HostIndex const host : live_) sum += hosts_[host].node->status().nodes_v4;
  return sum / static_cast<double>(live_.size());
}

HostIndex World::add_host(bool nat) {
  auto const index = static_cast<HostIndex>(hosts_.size());
  Host& host = hosts_.emplace_back(random_.next());
  host.nat = nat;
  host.self.endpoint = {draw_address(), mainline_port};
  host.position = LatencyModel::draw_position(random_);
  by_address_[host.self.endpoint.address] = index;
  return index;
}

void World::start_node(HostIndex index) {
  Host& host = hosts_[index];
  dht::Settings settings = settings_.node;
  settings.mode = host.nat ? dht::Mode::adaptive : dht::Mode::server;
  if (settings_.grown && !host.bootstrap) settings.mode = dht::Mode::adaptive;
  settings.id = dht::make_secure_id(host.self.endpoint.address, host.entropy);
  if (host.nat) host.pinholes = std::make_unique<Pinholes>();
  host.node = std::make_unique<dht::Node>(settings, host.entropy, now_);
  host.self.id = host.node->status().id;
  live_.push_back(index);
  if (!host.nat) enlist(index);
}

void World::enlist(HostIndex index) {
  Host const& host = hosts_[index];
  Resident const resident{host.self, index};
  if (host.liar == nullptr)
    is_populating_ ? honest_.add_unsorted(resident) : honest_.insert(resident);
  is_populating_ ? reachable_.add_unsorted(resident) : reachable_.insert(resident);
}

void World::start_liar(HostIndex index, Lie lie) {
  Host& host = hosts_[index];
  host.self.id = dht::make_secure_id(host.self.endpoint.address, host.entropy);
  std::vector<base::IpAddress> sybils;
  for (std::size_t i = 0; i < Liar::sybil_addresses; ++i) {
    sybils.push_back(draw_address());
    by_address_[sybils.back()] = index;
  }
  host.liar = std::make_unique<Liar>(lie, host.self, std::move(sybils), lore_, reachable_,
                                     host.entropy.next());
  enlist(index);
}

void World::remove_host(HostIndex index) {
  Host& host = hosts_[index];
  host.node.reset();
  host.pinholes.reset();
  by_address_.erase(host.self.endpoint.address);
  live_.erase(std::find(live_.begin(), live_.end(), index));
  honest_.remove(host.self.id);
  reachable_.remove(host.self.id);
}

void World::bootstrap(HostIndex index) {
  Host& host = hosts_[index];
  if (host.node == nullptr) return;
  std::vector<Endpoint> known;
  for (HostIndex i = 0; i < bootstrap_hosts && i < hosts_.size(); ++i) {
    if (i != index) known.push_back(hosts_[i].self.endpoint);
  }
  host.node->add_bootstrap_nodes(now_, known);
  drain(index);
}

void World::populate_matured() {
  Faults const& faults = settings_.faults;
  std::uint32_t const behind_nat = share_of(settings_.nodes, faults.nat);
  std::uint32_t const reachable = settings_.nodes - behind_nat;
  std::uint32_t const liars = share_of(reachable, faults.liars);
  for (std::uint32_t i = 0; i < settings_.nodes; ++i) {
    HostIndex const host = add_host(i >= reachable);
    hosts_[host].bootstrap = i < bootstrap_hosts;
    auto const lie =
        i >= bootstrap_hosts && i < bootstrap_hosts + liars ? next_lie() : std::nullopt;
    if (lie) {
      start_liar(host, *lie);
    } else {
      start_node(host);
    }
  }
  honest_.sort();
  reachable_.sort();
  // Nodes behind NAT never answer who does not know them yet, so nobody's table holds them.
  Census known = reachable_;
  auto const alive = static_cast<double>(known.size());
  auto const ghosts = static_cast<std::uint32_t>(alive * faults.dead / (1.0 - faults.dead));
  for (std::uint32_t i = 0; i < ghosts; ++i) {
    Endpoint const endpoint{draw_address(), mainline_port};
    known.add_unsorted({{dht::make_secure_id(endpoint.address, random_), endpoint}, 0});
  }
  known.sort();
  for (HostIndex const index : live_) {
    Host& host = hosts_[index];
    host.node->seed_table(now_, known.draw_table(host.self.id, settings_.bucket_max, random_));
    drain(index);
  }
}

void World::populate_grown() {
  Faults const& faults = settings_.faults;
  DOTKEY_ASSERT(faults.liars == 0);
  is_populating_ = false;
  // Those who will have gone at the end: their entries are the dead ones.
  auto const doomed = static_cast<std::uint32_t>(settings_.nodes * faults.dead / (1 - faults.dead));
  for (std::uint32_t i = 0; i < settings_.nodes + doomed; ++i) {
    bool const first = i < bootstrap_hosts;
    HostIndex const index = add_host(!first && random_.unit() < faults.nat);
    hosts_[index].bootstrap = first;
    start_node(index);
    drain(index);
    if (i > 0) bootstrap(index);
    run_for(joining_interval);
  }
  run_for(settings_.grown_for);
  for (std::uint32_t i = 0; i < doomed; ++i) {
    HostIndex const index = draw_host();
    if (!hosts_[index].bootstrap) remove_host(index);
  }
}

void World::schedule_departure() {
  double const mean_us = static_cast<double>(settings_.faults.mean_lifetime.us) /
                         static_cast<double>(std::max<std::size_t>(1, live_.size()));
  double const wait_us = -mean_us * std::log(1.0 - random_.unit());
  at(now_ + Duration::from_us(static_cast<std::int64_t>(wait_us) + 1), [this] { depart(); });
}

void World::depart() {
  HostIndex const leaving = draw_host();
  if (!hosts_[leaving].bootstrap && hosts_[leaving].watched == 0) {
    bool const nat = hosts_[leaving].nat;
    remove_host(leaving);
    HostIndex const joining = add_host(nat);
    start_node(joining);
    bootstrap(joining);
  }
  schedule_departure();
}

}  // namespace dotkey::sim
