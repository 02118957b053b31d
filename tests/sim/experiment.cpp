// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/experiment.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/crypto/ed25519.h"
#include "core/wire/bencode.h"
#include "core/wire/krpc.h"

namespace dotkey::sim {

namespace krpc = wire::krpc;

namespace {

// Far beyond any timeout of a node: what runs longer has hung.
constexpr Duration patience = Duration::from_s(120);
constexpr Duration settling = Duration::from_s(1);

double ms_between(Instant from, Instant to) {
  return static_cast<double>((to - from).us) / 1000.0;
}

NodeId target_of(dht::MutableItem const& item) {
  return krpc::mutable_target(item.key, item.salt);
}

dht::MutableItem sign_item(crypto::KeyPair const& keys, Bytes salt, std::int64_t sequence,
                           Bytes value) {
  dht::MutableItem item;
  item.key = keys.public_key();
  item.signature = keys.sign_now(krpc::signable(salt, sequence, value));
  item.salt = std::move(salt);
  item.sequence = sequence;
  item.value = std::move(value);
  return item;
}

}  // namespace

Experiment::Experiment(World& world) : world_(world) {
  world_.set_observer(this);
}

Experiment::~Experiment() {
  world_.set_observer(nullptr);
}

dht::MutableItem Experiment::make_item() {
  auto& random = world_.random();
  crypto::Seed seed;
  random.fill(seed.writable());
  crypto::KeyPair const keys(seed);
  Bytes salt(random.below(4) == 0 ? random.below(krpc::salt_size_max) : 0);
  random.fill(salt);
  // The older item exists in the liars' memory only.
  auto const draw_value = [&random] {
    Bytes text(100 + random.below(890));
    random.fill(text);
    return wire::bencode::encode_string(text);
  };
  auto const stale = sign_item(keys, salt, 1'700'000'000'000'000, draw_value());
  auto item = sign_item(keys, salt, 1'700'000'600'000'000, draw_value());
  world_.lore().stale.emplace(target_of(item), stale);
  world_.lore().items.push_back(item);
  return item;
}

HostIndex Experiment::draw_idle_host() {
  // Some tries are enough: far fewer commands run than there are hosts.
  for (int tries = 0; tries < 1000; ++tries) {
    HostIndex const host = world_.draw_host();
    if (!running_.contains(host)) return host;
  }
  DOTKEY_ASSERT(false);
  return 0;
}

std::vector<PutSample> Experiment::put_items(std::uint32_t count, Duration interval) {
  std::size_t const first = items_.size();
  for (std::uint32_t i = 0; i < count; ++i) items_.push_back(make_item());
  return put_from(first, interval);
}

std::vector<PutSample> Experiment::put_again(Duration interval) {
  return put_from(0, interval);
}

std::vector<PutSample> Experiment::put_from(std::size_t first_item, Duration interval) {
  std::vector<PutSample> samples(items_.size() - first_item);
  Instant at = world_.now();
  for (std::size_t i = 0; i < samples.size(); ++i, at = at + interval) {
    ++pending_;
    this->at(at, [this, &sample = samples[i], &item = items_[first_item + i]] {
      start_put(sample, item);
    });
  }
  run_until_idle(at);
  return samples;
}

std::vector<GetSample> Experiment::get_items(std::uint32_t count, Duration interval,
                                             dht::GetOptions const& options) {
  std::vector<GetSample> samples(count);
  Instant at = world_.now();
  for (std::uint32_t i = 0; i < count; ++i, at = at + interval) {
    ++pending_;
    this->at(at, [this, &sample = samples[i], &options] { start_get(sample, options); });
  }
  run_until_idle(at);
  return samples;
}

void Experiment::at(Instant at, std::function<void()> call) {
  world_.at(at, [this, round = round_, call = std::move(call)] {
    if (round == round_) call();
  });
}

void Experiment::run_until_idle(Instant all_started) {
  Instant const end = all_started + patience;
  while (pending_ > 0 && world_.now() < end && !world_.reached_events_max()) {
    world_.run_for(Duration::from_ms(100));
  }
  // What hangs is not measured any further: its sample goes out of scope.
  for (auto& [host, running] : running_) world_.watch(host, false);
  running_.clear();
  pending_ = 0;
  ++round_;
}

void Experiment::start_get(GetSample& sample, dht::GetOptions const& options) {
  HostIndex const host = draw_idle_host();
  auto const& item = items_[world_.random().below(static_cast<std::uint32_t>(items_.size()))];
  Running& running = running_[host];
  running.started = world_.now();
  running.item = &item;
  running.get = &sample;
  world_.watch(host, true);
  auto const begun = world_.command(host, [&](dht::Node& node, Instant now) {
    auto id = node.get_mutable(now, item.key, item.salt, options);
    if (id) running.id = *id;
    return id;
  });
  DOTKEY_ASSERT(begun.has_value());
}

void Experiment::start_put(PutSample& sample, dht::MutableItem const& item) {
  HostIndex const host = draw_idle_host();
  Running& running = running_[host];
  running.started = world_.now();
  running.item = &item;
  running.put = &sample;
  world_.watch(host, true);
  auto const begun = world_.command(host, [&](dht::Node& node, Instant now) {
    auto id = node.put_mutable(now, item, {});
    if (id) running.id = *id;
    return id;
  });
  DOTKEY_ASSERT(begun.has_value());
}

void Experiment::on_sent(HostIndex host, Endpoint const&, ByteView payload) {
  auto const found = running_.find(host);
  if (found == running_.end()) return;
  auto const message = krpc::parse_message(payload);
  if (message && message->kind == krpc::Kind::query) ++found->second.sent;
}

void Experiment::on_received(HostIndex host, Endpoint const& from, ByteView payload) {
  auto const found = running_.find(host);
  if (found == running_.end() || found->second.get == nullptr) return;
  auto const message = krpc::parse_message(payload);
  if (!message || message->kind != krpc::Kind::response) return;
  Running& running = found->second;
  running.last_sender = from;
  std::uint32_t const depth = running.depth.try_emplace(from, 1).first->second;
  for (NodeInfo const& node : message->nodes) running.depth.try_emplace(node.endpoint, depth + 1);
}

void Experiment::on_effect(HostIndex host, dht::Effect const& effect) {
  auto const found = running_.find(host);
  if (found == running_.end()) return;
  Running& running = found->second;
  if (auto const* const item = std::get_if<dht::ItemFound>(&effect)) {
    if (item->id == running.id && running.get != nullptr) on_item(running, item->item);
  } else if (auto const* const finished = std::get_if<dht::Finished>(&effect)) {
    if (finished->id == running.id) on_finished(host, running, finished->outcome);
  }
}

bool Experiment::is_authentic(dht::MutableItem const& wanted, dht::MutableItem const& got) const {
  if (got == wanted) return true;
  return got == world_.lore().stale.at(target_of(wanted));
}

void Experiment::on_item(Running& running, dht::MutableItem const& item) {
  GetSample& sample = *running.get;
  if (!is_authentic(*running.item, item)) sample.wrong = true;
  if (!(item == *running.item) || sample.first_ms >= 0) return;
  sample.first_ms = ms_between(running.started, world_.now());
  sample.sent_to_first = running.sent;
  if (running.last_sender) sample.hops = running.depth[*running.last_sender];
}

void Experiment::on_finished(HostIndex host, Running& running, dht::Outcome const& outcome) {
  double const took_ms = ms_between(running.started, world_.now());
  if (running.get != nullptr) {
    GetSample& sample = *running.get;
    sample.finished = true;
    sample.finished_ms = took_ms;
    sample.sent = running.sent;
    if (outcome.item) {
      if (!is_authentic(*running.item, *outcome.item)) sample.wrong = true;
      sample.found = *outcome.item == *running.item;
      sample.stale = !sample.found && !sample.wrong;
    }
    --pending_;
  } else {
    PutSample& sample = *running.put;
    sample.finished = true;
    sample.finished_ms = took_ms;
    sample.sent = running.sent;
    sample.acknowledged = outcome.stored;
    at(world_.now() + settling, [this, &sample, &item = *running.item] {
      measure_coverage(sample, item);
      --pending_;
    });
  }
  world_.watch(host, false);
  running_.erase(host);
}

void Experiment::measure_coverage(PutSample& sample, dht::MutableItem const& item) {
  NodeId const target = target_of(item);
  for (Resident const& near : world_.honest().closest(target, dht::k_nodes)) {
    if (world_.sequence_stored(near.host, target) == item.sequence) ++sample.coverage;
  }
}

}  // namespace dotkey::sim
