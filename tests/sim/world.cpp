// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/world.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/dht/node_id.h"

namespace dotkey::sim {

namespace {

constexpr Duration pinhole_lifetime = Duration::from_s(60);

std::uint64_t fnv(std::uint64_t hash, std::uint64_t word) {
  return (hash ^ word) * 0x100000001b3ULL;
}

std::uint64_t fnv(std::uint64_t hash, ByteView bytes) {
  for (std::uint8_t const byte : bytes) hash = fnv(hash, byte);
  return hash;
}

std::uint64_t fnv(std::uint64_t hash, Endpoint const& endpoint) {
  return fnv(fnv(hash, endpoint.address.bytes()), endpoint.port);
}

}  // namespace

World::World(WorldSettings const& settings) : settings_(settings), random_(settings.seed) {
  if (settings_.grown) {
    populate_grown();
  } else {
    populate_matured();
  }
  is_populating_ = false;
  if (settings_.faults.mean_lifetime.us > 0) schedule_departure();
}

World::~World() = default;

void World::run_until(Instant end) {
  while (!queue_.empty() && queue_.next_at() <= end && !reached_events_max()) step();
  now_ = std::max(now_, end);
}

void World::at(Instant at, std::function<void()> call) {
  queue_.push(std::max(at, now_), EventKind::call, calls_.put(std::move(call)));
}

HostIndex World::draw_host() {
  DOTKEY_ASSERT(!live_.empty());
  return live_[random_.below(static_cast<std::uint32_t>(live_.size()))];
}

void World::watch(HostIndex host, bool on) {
  DOTKEY_ASSERT(on || hosts_[host].watched > 0);
  hosts_[host].watched += on ? 1U : static_cast<std::uint32_t>(-1);
}

void World::step() {
  Event const event = queue_.pop();
  DOTKEY_ASSERT(event.at >= now_);
  now_ = event.at;
  ++events_;
  switch (event.kind) {
    case EventKind::datagram:
      deliver(datagrams_.take(event.index));
      break;
    case EventKind::timer:
      on_timer(event.index, event.at);
      break;
    case EventKind::call:
      calls_.take(event.index)();
      break;
  }
}

// The one drain loop of this driver.
void World::drain(HostIndex index) {
  Host& host = hosts_[index];
  while (auto effect = host.node->poll_effect()) {
    if (auto* const datagram = std::get_if<dht::SendDatagram>(&*effect)) {
      if (host.watched != 0 && observer_ != nullptr) {
        observer_->on_sent(index, datagram->to, datagram->payload);
      }
      transmit(index, host.self.endpoint, datagram->to, std::move(datagram->payload));
    } else if (std::holds_alternative<dht::ResolveBootstrap>(*effect)) {
      at(now_ + Duration::from_ms(50), [this, index] { bootstrap(index); });
    } else if (observer_ != nullptr) {
      observer_->on_effect(index, *effect);
    }
  }
  arm(index);
}

void World::arm(HostIndex index) {
  Host& host = hosts_[index];
  auto const deadline = host.node->next_deadline();
  if (!deadline || *deadline >= host.timer) return;
  host.timer = std::max(*deadline, now_);
  queue_.push(host.timer, EventKind::timer, index);
}

void World::on_timer(HostIndex index, Instant at) {
  Host& host = hosts_[index];
  if (host.node == nullptr || host.timer != at) return;  // gone, or armed for earlier meanwhile
  host.timer = never;
  if (host.node->next_deadline().value_or(never) <= now_) {
    host.node->on_deadline(now_);
    DOTKEY_ASSERT(host.node->next_deadline().value_or(never) > now_);
  }
  drain(index);
}

void World::transmit(HostIndex sender, Endpoint const& from, Endpoint const& to, Bytes payload) {
  ++traffic_.sent;
  traffic_.bytes += payload.size();
  Host& host = hosts_[sender];
  if (host.pinholes != nullptr) open_pinhole(host, to);
  Faults const& faults = settings_.faults;
  if (faults.loss > 0 && random_.unit() < faults.loss) {
    ++traffic_.lost;
    return;
  }
  auto const receiver = by_address_.find(to.address);
  if (receiver == by_address_.end()) {
    ++traffic_.to_nobody;
    return;
  }
  bool const twice = faults.duplication > 0 && random_.unit() < faults.duplication;
  std::uint64_t const low = std::min(sender, receiver->second);
  std::uint64_t const high = std::max(sender, receiver->second);
  for (int copy = 0; copy < (twice ? 2 : 1); ++copy) {
    Duration latency = settings_.latency.draw(host.position, hosts_[receiver->second].position,
                                              high << 32 | low, random_);
    if (faults.reordering > 0 && random_.unit() < faults.reordering) {
      latency.us +=
          static_cast<std::int64_t>(3.0 * random_.unit() * static_cast<double>(latency.us));
    }
    traffic_.duplicated += copy == 0 ? 0 : 1;
    std::uint32_t const slot = datagrams_.put({from, to, receiver->second, payload});
    queue_.push(now_ + latency, EventKind::datagram, slot);
  }
}

void World::deliver(Datagram datagram) {
  Host& host = hosts_[datagram.host];
  if (host.liar != nullptr) {
    trace(datagram);
    auto reply = host.liar->answer(datagram.to, datagram.from, datagram.payload);
    if (reply) transmit(datagram.host, datagram.to, datagram.from, std::move(*reply));
    return;
  }
  if (host.node == nullptr || !(host.self.endpoint == datagram.to)) {
    ++traffic_.to_nobody;
    return;
  }
  if (host.nat && !passes_nat(host, datagram.from)) {
    ++traffic_.filtered;
    return;
  }
  trace(datagram);
  if (host.watched != 0 && observer_ != nullptr) {
    observer_->on_received(datagram.host, datagram.from, datagram.payload);
  }
  host.node->on_datagram(now_, datagram.from, datagram.payload);
  drain(datagram.host);
}

void World::open_pinhole(Host& host, Endpoint const& to) {
  auto& [last_sent, prune_at] = *host.pinholes;
  last_sent[to] = now_;
  if (last_sent.size() < prune_at) return;
  std::erase_if(last_sent,
                [this](auto const& hole) { return now_ - hole.second > pinhole_lifetime; });
  prune_at = std::max<std::size_t>(64, 2 * last_sent.size());
}

bool World::passes_nat(Host const& host, Endpoint const& from) const {
  // No hairpin: a node behind NAT does not reach itself by its outer address.
  if (from == host.self.endpoint) return false;
  auto const hole = host.pinholes->last_sent.find(from);
  return hole != host.pinholes->last_sent.end() && now_ - hole->second <= pinhole_lifetime;
}

void World::trace(Datagram const& datagram) {
  ++traffic_.delivered;
  trace_ = fnv(trace_, static_cast<std::uint64_t>(now_.us));
  trace_ = fnv(fnv(trace_, datagram.from), datagram.to);
  trace_ = fnv(trace_, datagram.payload);
}

std::optional<std::int64_t> World::sequence_stored(HostIndex index, NodeId const& target) {
  Host& host = hosts_[index];
  if (host.node == nullptr) return std::nullopt;
  wire::krpc::Message query;
  query.kind = wire::krpc::Kind::query;
  query.method = wire::krpc::Method::get;
  base::Bytes const transaction{'p', 'r', 'o', 'b'};
  query.transaction_id = transaction;
  query.read_only = true;
  query.id = dht::random_id(random_);
  query.target = target;
  // An endpoint of its own each time, so that no rate limit answers for the store.
  Endpoint const prober{draw_address(), 1};
  host.node->on_datagram(now_, prober, wire::krpc::encode_message(query));
  std::optional<std::int64_t> out;
  while (auto effect = host.node->poll_effect()) {
    auto* const datagram = std::get_if<dht::SendDatagram>(&*effect);
    if (datagram == nullptr) {
      if (observer_ != nullptr) observer_->on_effect(index, *effect);
    } else if (datagram->to == prober) {
      auto const reply = wire::krpc::parse_message(datagram->payload);
      if (reply && reply->value) out = reply->sequence;
    } else {
      transmit(index, host.self.endpoint, datagram->to, std::move(datagram->payload));
    }
  }
  arm(index);
  return out;
}

}  // namespace dotkey::sim
