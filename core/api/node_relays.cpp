// SPDX-License-Identifier: Apache-2.0
// Between the engines and the relays.
#include <utility>

#include "core/api/node.h"

namespace dotkey::api {

bool Node::pump_relays(Moment now) {
  bool moved = false;
  while (auto effect = relays_.poll_effect()) {
    moved = true;
    take(now, std::move(*effect));
  }
  return moved;
}

void Node::take(Moment now, relay::ClientEffect effect) {
  if (auto* const fetch = std::get_if<relay::FetchUrl>(&effect)) {
    effects_.push_always(std::move(*fetch));
  } else if (auto* const cancel = std::get_if<relay::CancelFetch>(&effect)) {
    effects_.push_always(*cancel);
  } else if (auto* const found = std::get_if<relay::PacketFound>(&effect)) {
    auto const operation = relay_operations_.find(found->id);
    if (operation == relay_operations_.end()) return;
    if (auto const* const lookup = std::get_if<resolve::LookupId>(&operation->second)) {
      resolver_.on_packet(now, *lookup, found->packet, found->last_seen);
    }
  } else if (auto* const finished = std::get_if<relay::Finished>(&effect)) {
    auto const operation = relay_operations_.extract(finished->id);
    if (operation.empty()) return;
    Purpose const purpose = operation.mapped();
    relay_operations_of_.erase(purpose);
    if (auto const* const lookup = std::get_if<resolve::LookupId>(&purpose)) {
      resolver_.on_relays_finished(now, *lookup, finished->outcome);
    } else {
      publisher_.on_relays_finished(now, std::get<publish::PutId>(purpose), finished->outcome);
    }
  }
}

void Node::start_relay_get(Moment now, resolve::StartLookup const& start) {
  relay::GetOptions options;
  options.newer_than_us = start.newer_than_us;
  if (start.thorough) options.policy = relay::Policy::network_only;
  auto const operation = relays_.get(now, start.key, options);
  if (!operation) {
    return resolver_.on_not_started(now, start.id, resolve::Source::relay, operation.error().code);
  }
  relay_operations_.emplace(*operation, start.id);
  relay_operations_of_.insert_or_assign(start.id, *operation);
}

void Node::start_relay_put(Moment now, publish::StartPut const& start) {
  auto const operation = relays_.put(now, start.packet, {start.cas_us, start.compare_first});
  if (!operation) {
    return publisher_.on_not_started(now, start.id, publish::Source::relay, operation.error().code);
  }
  relay_operations_.emplace(*operation, start.id);
  relay_operations_of_.insert_or_assign(start.id, *operation);
}

void Node::stop_relays(Purpose const& purpose) {
  auto const found = relay_operations_of_.extract(purpose);
  if (found.empty()) return;
  relay_operations_.erase(found.mapped());
  relays_.cancel(found.mapped());
}

void Node::on_fetched(Moment now, relay::FetchId id, relay::FetchResult const& result) {
  relays_.on_fetched(now, id, result);
  pump(now);
}

void Node::on_fetch_failed(Moment now, relay::FetchId id, relay::FetchFailure failure) {
  relays_.on_fetch_failed(now, id, failure);
  pump(now);
}

}  // namespace dotkey::api
