// SPDX-License-Identifier: Apache-2.0
// Between the engines and the DHT: what they want of it, and what it answered.
#include <utility>

#include "core/api/node.h"

namespace dotkey::api {

using base::ErrorCode;

bool Node::pump_resolver(Moment now) {
  bool moved = false;
  while (auto effect = resolver_.poll_effect()) {
    moved = true;
    take(now, std::move(*effect));
  }
  return moved;
}

bool Node::pump_publisher(Moment now) {
  bool moved = false;
  while (auto effect = publisher_.poll_effect()) {
    moved = true;
    take(now, std::move(*effect));
  }
  return moved;
}

void Node::take(Moment now, resolve::Effect effect) {
  if (auto* const start = std::get_if<resolve::StartLookup>(&effect)) {
    if (start->source == resolve::Source::relay) return start_relay_get(now, *start);
    dht::GetOptions options;
    options.newer_than = start->newer_than_us;
    start_dht_get(start->id, start->key, options);
  } else if (auto* const stop = std::get_if<resolve::StopLookup>(&effect)) {
    stop->source == resolve::Source::dht ? stop_dht(stop->id) : stop_relays(stop->id);
  } else if (auto* const learned = std::get_if<resolve::PacketLearned>(&effect)) {
    publisher_.on_packet_seen(now, learned->packet);
    effects_.push(StorePacket{std::move(learned->packet), learned->last_seen});
  } else if (auto* const answered = std::get_if<resolve::Answered>(&effect)) {
    if (take_search_answer(now, answered->id, answered->outcome)) return;
    if (take_look_answer(now, answered->id, answered->outcome)) return;
    auto const request = questions_.extract(answered->id);
    if (request.empty()) return;
    questions_of_requests_.erase(request.mapped());
    effects_.push_always(Resolved{request.mapped(), std::move(answered->outcome)});
  }
}

void Node::take(Moment now, publish::Effect effect) {
  if (auto* const start = std::get_if<publish::StartPut>(&effect)) {
    if (start->source == publish::Source::relay) return start_relay_put(now, *start);
    start_dht_put(start->id, start->packet, start->cas_us);
  } else if (auto* const look = std::get_if<publish::StartLook>(&effect)) {
    start_look(now, *look);
  } else if (auto* const get = std::get_if<publish::StartGet>(&effect)) {
    start_dht_get(get->id, get->key, {});
  } else if (auto* const stop = std::get_if<publish::StopPut>(&effect)) {
    stop->source == publish::Source::dht ? stop_dht(stop->id) : stop_relays(stop->id);
  } else if (auto* const published = std::get_if<publish::Published>(&effect)) {
    auto const& outcome = published->outcome;
    bool const stored = !outcome.error || outcome.error->code == ErrorCode::publish_too_few_nodes;
    if (stored) remember(now, published->ours);
    if (outcome.theirs) remember(now, *outcome.theirs);
    auto const request = publications_.extract(published->id);
    if (request.empty()) return;
    effects_.push_always(
        Published{request.mapped(), std::move(published->ours), std::move(published->outcome)});
  } else if (auto* const adopted = std::get_if<publish::Adopted>(&effect)) {
    remember(now, adopted->packet);
    adoptions_.insert_or_assign(adopted->packet.key(),
                                Adoption{adopted->packet.timestamp_us(), now.unix_time});
    effects_.push_always(std::move(*adopted));
  } else if (auto* const save = std::get_if<publish::SaveRow>(&effect)) {
    effects_.push_always(std::move(*save));
  } else if (auto* const drop = std::get_if<publish::DropRow>(&effect)) {
    effects_.push_always(*drop);
  }
}

void Node::start_look(Moment now, publish::StartLook const& start) {
  resolve::Options options;
  options.policy = resolve::Policy::newest;
  auto const question = resolver_.ask(now, start.key, options);
  if (question) {
    looks_.emplace(*question, start.id);
  } else {
    publisher_.on_looked(now, start.id, tl::make_unexpected(question.error()));
  }
}

bool Node::take_look_answer(Moment now, resolve::QuestionId question, resolve::Outcome& outcome) {
  auto const look = looks_.extract(question);
  if (look.empty()) return false;
  if (outcome.verdict == resolve::Verdict::network_failed) {
    publisher_.on_looked(now, look.mapped(), tl::make_unexpected(*outcome.error));
  } else {
    // An item that is no signed packet cannot be named by a condition. If it is the newer one, it
    // refuses the put itself.
    publisher_.on_looked(now, look.mapped(), std::move(outcome.packet));
  }
  return true;
}

void Node::start_dht_get(Purpose purpose, PublicKey const& key, dht::GetOptions const& options) {
  DhtId const id{++last_dht_};
  dht_operations_.emplace(id, DhtOperation{purpose, key});
  dht_operations_of_.insert_or_assign(purpose, id);
  effects_.push_always(StartDhtGet{id, key, options});
}

void Node::start_dht_put(publish::PutId put, SignedPacket const& packet,
                         std::optional<std::int64_t> cas_us) {
  DhtId const id{++last_dht_};
  dht_operations_.emplace(id, DhtOperation{put, packet.key()});
  dht_operations_of_.insert_or_assign(put, id);
  dht::MutableItem item;
  item.key = packet.key();
  item.sequence = packet.timestamp_us();
  item.value = packet.item_value();
  item.signature = packet.signature();
  effects_.push_always(StartDhtPut{id, std::move(item), {cas_us}});
}

void Node::stop_dht(Purpose const& purpose) {
  auto const found = dht_operations_of_.extract(purpose);
  if (found.empty()) return;
  dht_operations_.erase(found.mapped());
  effects_.push_always(CancelDht{found.mapped()});
}

void Node::on_dht_item(Moment now, DhtId id, dht::MutableItem const& item) {
  auto const found = dht_operations_.find(id);
  if (found == dht_operations_.end()) return;
  if (auto const* const lookup = std::get_if<resolve::LookupId>(&found->second.purpose)) {
    resolver_.on_item(now, *lookup, item);
  }
  pump(now);
}

void Node::on_dht_progress(Moment, DhtId id, dht::Tally const& tally, std::uint32_t stored) {
  auto const found = dht_operations_.find(id);
  if (found == dht_operations_.end()) return;
  effects_.push(Progress{found->second.key, tally, stored});
}

void Node::on_dht_finished(Moment now, DhtId id, dht::Outcome const& outcome) {
  auto const ended = dht_operations_.extract(id);
  if (ended.empty()) return;
  Purpose const purpose = ended.mapped().purpose;
  dht_operations_of_.erase(purpose);
  if (auto const* const lookup = std::get_if<resolve::LookupId>(&purpose)) {
    resolver_.on_dht_finished(now, *lookup, outcome);
  } else {
    publisher_.on_dht_finished(now, std::get<publish::PutId>(purpose), outcome);
  }
  pump(now);
}

void Node::on_dht_not_started(Moment now, DhtId id, ErrorCode error) {
  auto const ended = dht_operations_.extract(id);
  if (ended.empty()) return;
  Purpose const purpose = ended.mapped().purpose;
  dht_operations_of_.erase(purpose);
  if (auto const* const lookup = std::get_if<resolve::LookupId>(&purpose)) {
    resolver_.on_not_started(now, *lookup, resolve::Source::dht, error);
  } else {
    publisher_.on_not_started(now, std::get<publish::PutId>(purpose), publish::Source::dht, error);
  }
  pump(now);
}

}  // namespace dotkey::api
