// SPDX-License-Identifier: Apache-2.0
// A few real DHT nodes joined by a network without delay or loss, on virtual time.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/dht/node.h"

#include "tests/support/seeded_entropy.h"

namespace dotkey::test {

class DatagramNet {
 public:
  explicit DatagramNet(std::uint64_t seed) : entropy_(seed) {}

  // Adds a node at 127.0.0.1:port (or [::1]:port for an IPv6 node) that knows `bootstrap`.
  dht::Node& add(dht::Settings settings, std::uint16_t port,
                 std::vector<base::Endpoint> const& bootstrap) {
    settings.allow_local_network = true;
    auto const address =
        settings.ipv4 ? base::IpAddress::v4({127, 0, 0, 1}) : base::IpAddress::parse("::1").value();
    base::Endpoint const at{address, port};
    auto node = std::make_unique<dht::Node>(settings, entropy_, now);
    node->add_bootstrap_nodes(now, bootstrap);
    auto& placed = *(nodes_[at] = std::move(node));
    return placed;
  }

  void remove(base::Endpoint const& at) { nodes_.erase(at); }
  dht::Node& at(base::Endpoint const& endpoint) { return *nodes_.at(endpoint); }

  // Hands an unsolicited datagram to a node, as an attacker would.
  void inject(base::Endpoint const& from, base::Endpoint const& to, base::ByteView payload) {
    nodes_.at(to)->on_datagram(now, from, payload);
    drain();
  }

  // Delivers and lets time pass until `done` or until `limit` has passed.
  bool run(engine::Duration limit, std::function<bool()> const& done) {
    engine::Instant const end = now + limit;
    drain();
    while (!done()) {
      engine::Instant next = end;
      for (auto const& [at, node] : nodes_) {
        if (auto const deadline = node->next_deadline()) next = std::min(next, *deadline);
      }
      if (next >= end) {
        now = end;
        return done();
      }
      now = std::max(now, next);
      for (auto const& [at, node] : nodes_) {
        if (node->next_deadline() <= now) node->on_deadline(now);
      }
      drain();
    }
    return true;
  }

  // Runs an operation of `node` to its end.
  dht::Outcome finish(dht::OperationId id, engine::Duration limit = engine::Duration::from_s(30)) {
    run(limit, [&] { return finished.contains(id); });
    auto const found = finished.find(id);
    if (found == finished.end()) return {};
    auto outcome = found->second;
    finished.erase(found);
    return outcome;
  }

  engine::Instant now{1};
  // Results of the node asked last; operation ids of different nodes may be equal, so one node
  // runs operations at a time.
  std::map<dht::OperationId, dht::Outcome> finished;
  std::vector<dht::MutableItem> found_items;
  std::uint64_t resolve_requests = 0;
  std::size_t largest_datagram = 0;
  std::function<bool(base::Endpoint const& from, base::Endpoint const& to)> drop;

 private:
  void drain() {
    bool moved = true;
    while (moved) {
      moved = false;
      for (auto const& [at, node] : nodes_) {
        while (auto effect = node->poll_effect()) {
          moved = true;
          take(at, std::move(*effect));
        }
      }
      while (!wire_.empty()) {
        auto datagram = std::move(wire_.front());
        wire_.pop_front();
        auto const found = nodes_.find(datagram.to);
        if (found != nodes_.end()) found->second->on_datagram(now, datagram.from, datagram.payload);
      }
    }
  }

  void take(base::Endpoint const& at, dht::Effect effect) {
    if (auto* send = std::get_if<dht::SendDatagram>(&effect)) {
      largest_datagram = std::max(largest_datagram, send->payload.size());
      if (drop && drop(at, send->to)) return;
      wire_.push_back({at, send->to, std::move(send->payload)});
    } else if (auto* end = std::get_if<dht::Finished>(&effect)) {
      finished.insert_or_assign(end->id, std::move(end->outcome));
    } else if (auto* item = std::get_if<dht::ItemFound>(&effect)) {
      found_items.push_back(std::move(item->item));
    } else if (std::holds_alternative<dht::ResolveBootstrap>(effect)) {
      ++resolve_requests;
    }
  }

  struct Datagram {
    base::Endpoint from;
    base::Endpoint to;
    base::Bytes payload;
  };

  SeededEntropy entropy_;
  std::map<base::Endpoint, std::unique_ptr<dht::Node>> nodes_;
  std::deque<Datagram> wire_;
};

}  // namespace dotkey::test
