// SPDX-License-Identifier: Apache-2.0
#include "core/publish/publisher.h"

#include <algorithm>

#include "core/base/assert.h"

namespace dotkey::publish {

using base::ErrorCode;
using base::Result;

namespace {

// The calendar may run ahead of the monotonic clock while the machine sleeps; it is read at least
// this often.
constexpr Duration clock_check = Duration::from_s(60);

}  // namespace

Publisher::Publisher(Settings const& settings, engine::Entropy& entropy)
    : settings_(settings), entropy_(&entropy) {
  DOTKEY_ASSERT(settings_.interval.us > 0 && settings_.republish_parallel_max > 0);
}

Result<PublishId> Publisher::publish(Moment now, SignedPacket const& packet,
                                     Options const& options) {
  now_ = now;
  Sources const sources = options.sources & settings_.sources;
  if (!sources.any()) return base::fail(ErrorCode::network_no_source);
  if (publications_.size() >= settings_.publishes_max) return base::fail(ErrorCode::publish_busy);
  if (!publishing_.insert(packet.key()).second) return base::fail(ErrorCode::publish_busy);
  PublishId const id{++last_publish_};
  Publication publication{packet, options, 0, 0, {}, std::nullopt};
  publication.options.sources = sources;
  // DHT nodes and some relays hold the condition against what they have. All others know nothing of
  // it, and would hand the packet on to the rest.
  publication.looking = options.cas_us && sources.relay;
  bool const looking = publication.looking;
  publications_.emplace(id, std::move(publication));
  if (looking) {
    effects_.push_always(StartLook{id, packet.key()});
  } else {
    attempt_publication(now, id);
  }
  return id;
}

void Publisher::on_looked(Moment now, PublishId id,
                          Result<std::optional<SignedPacket>> const& newest) {
  now_ = now;
  auto const found = publications_.find(id);
  if (found == publications_.end() || !found->second.looking) return;
  Publication& publication = found->second;
  publication.looking = false;
  Outcome outcome;
  if (!newest) {
    outcome.error = newest.error();
    return finish(now, id, std::move(outcome));
  }
  bool const in_the_way = *newest && !(**newest == publication.packet) &&
                          ((*newest)->timestamp_us() != *publication.options.cas_us ||
                           (*newest)->is_more_recent_than(publication.packet));
  if (!in_the_way) return attempt_publication(now, id);
  outcome.error = base::Error(ErrorCode::publish_conflict);
  outcome.theirs = *newest;
  finish(now, id, std::move(outcome));
}

void Publisher::attempt_publication(Moment now, PublishId id) {
  Publication& publication = publications_.at(id);
  bool const again = publication.attempts++ > 0;
  Sources sources = publication.options.sources;
  Conditions conditions{publication.options.cas_us, publication.options.cas_us, true};
  if (again) {
    // Relays that took it need not hear of it again; the nodes that did would fail the condition.
    bool const relays_have_it =
        std::any_of(publication.relays.begin(), publication.relays.end(),
                    [](auto const& relay) { return relay.verdict == relay::RelayVerdict::stored; });
    if (relays_have_it && sources.dht) sources.relay = false;
    if (publication.dht_nodes > 0) conditions.cas_us.reset();
  }
  start_put(now, publication.packet, conditions, sources, id);
}

void Publisher::start_put(Moment now, SignedPacket const& packet, Conditions const& conditions,
                          Sources sources, std::optional<PublishId> publication) {
  PutId const id{++last_put_};
  Instant const deadline = now.instant + settings_.put_timeout;
  puts_.emplace(id, Put{Attempt(packet, conditions.cas_us, sources), publication, deadline});
  put_deadlines_.emplace(deadline, id);
  for (Source const source : sources_of_all) {
    if (!sources.has(source)) continue;
    bool const is_dht = source == Source::dht;
    effects_.push_always(StartPut{id, source, packet,
                                  is_dht ? conditions.cas_us : conditions.relay_cas_us,
                                  conditions.compare_first});
  }
}

void Publisher::on_dht_finished(Moment now, PutId id, dht::Outcome const& outcome) {
  now_ = now;
  auto const found = puts_.find(id);
  if (found == puts_.end() || !found->second.attempt.is_open(Source::dht)) return;
  Attempt& attempt = found->second.attempt;
  if (attempt.on_dht_finished(outcome)) {
    effects_.push_always(StartGet{id, attempt.packet().key()});
    return;
  }
  review(now, id);
}

void Publisher::on_relays_finished(Moment now, PutId id, relay::Outcome const& outcome) {
  now_ = now;
  auto const found = puts_.find(id);
  if (found == puts_.end() || !found->second.attempt.is_open(Source::relay)) return;
  found->second.attempt.on_relays_finished(outcome);
  review(now, id);
}

void Publisher::on_not_started(Moment now, PutId id, Source source, ErrorCode error) {
  now_ = now;
  auto const found = puts_.find(id);
  if (found == puts_.end() || !found->second.attempt.is_open(source)) return;
  found->second.attempt.on_failed(source, error);
  review(now, id);
}

void Publisher::review(Moment now, PutId id) {
  auto const found = puts_.find(id);
  if (!found->second.attempt.has_ended()) return;
  put_deadlines_.erase({found->second.deadline, id});
  auto const node = puts_.extract(found);
  Put const& put = node.mapped();
  if (put.publication) {
    end_publication_put(now, *put.publication, put.attempt);
  } else {
    end_republication(now, put.attempt);
  }
  start_due(now);
}

void Publisher::end_publication_put(Moment now, PublishId id, Attempt const& attempt) {
  Publication& publication = publications_.at(id);
  publication.dht_nodes = std::max(publication.dht_nodes, attempt.dht_nodes());
  if (!attempt.relays().empty()) publication.relays = attempt.relays();
  Outcome outcome;
  outcome.dht_nodes = publication.dht_nodes;
  outcome.relays = publication.relays;
  outcome.attempts = publication.attempts;
  if (attempt.is_conflict() || attempt.met_invalid()) {
    outcome.error = base::Error(ErrorCode::publish_conflict);
    outcome.theirs = attempt.theirs();
    return finish(now, id, std::move(outcome));
  }
  std::uint32_t const wanted = publication.options.dht_nodes_min.value_or(settings_.dht_nodes_min);
  // Without a DHT of our own the relays' word has to do; old ones do not count nodes.
  bool const enough = publication.options.sources.dht ? publication.dht_nodes >= wanted
                                                      : attempt.is_stored_by_relays();
  if (enough) return finish(now, id, std::move(outcome));
  if (publication.attempts < settings_.attempts_max) return retry_later(now, id);
  bool const stored = publication.dht_nodes > 0 || attempt.is_stored_by_relays();
  outcome.error =
      stored ? base::Error(ErrorCode::publish_too_few_nodes,
                           std::to_string(publication.dht_nodes) + " of " + std::to_string(wanted))
             : attempt.error();
  finish(now, id, std::move(outcome));
}

void Publisher::retry_later(Moment now, PublishId id) {
  Publication& publication = publications_.at(id);
  Duration const delay = settings_.retry_delay * (std::int64_t{1} << (publication.attempts - 1));
  auto const jitter_ms = static_cast<std::uint32_t>(delay.ms() / 2 + 1);
  publication.retry_at = now.instant + delay - Duration::from_ms(entropy_->below(jitter_ms));
  retries_.emplace(*publication.retry_at, id);
}

void Publisher::finish(Moment now, PublishId id, Outcome outcome) {
  auto const node = publications_.extract(id);
  Publication const& publication = node.mapped();
  publishing_.erase(publication.packet.key());
  bool const in_the_network =
      !outcome.error || outcome.error->code == ErrorCode::publish_too_few_nodes;
  if (in_the_network && publication.options.keep_alive) {
    upsert(now, publication.packet, outcome.dht_nodes);
  } else if (in_the_network) {
    on_packet_seen(now, publication.packet);
  }
  effects_.push_always(Published{id, publication.packet, std::move(outcome)});
}

void Publisher::on_deadline(Moment now) {
  now_ = now;
  while (!put_deadlines_.empty() && put_deadlines_.begin()->first <= now.instant) {
    PutId const id = put_deadlines_.begin()->second;
    for (Source const source : sources_of_all) {
      auto const found = puts_.find(id);
      if (found == puts_.end() || !found->second.attempt.is_open(source)) continue;
      effects_.push_always(StopPut{id, source});
      on_not_started(now, id, source, ErrorCode::network_timeout);
    }
  }
  while (!retries_.empty() && retries_.begin()->first <= now.instant) {
    PublishId const id = retries_.begin()->second;
    retries_.erase(retries_.begin());
    publications_.at(id).retry_at.reset();
    attempt_publication(now, id);
  }
  draw_distant_anew(now);
  start_due(now);
}

// What is under way comes back by an input; only what waits for its time counts here.
std::optional<Instant> Publisher::next_deadline() const {
  std::optional<Instant> out;
  auto const sooner = [&](Instant at) {
    if (!out || at < *out) out = at;
  };
  if (!put_deadlines_.empty()) sooner(put_deadlines_.begin()->first);
  if (!retries_.empty()) sooner(retries_.begin()->first);
  auto const due = schedule_.first_due();
  if (due && republications_ < settings_.republish_parallel_max && republish_sources().any()) {
    Duration const wait = std::clamp(*due - now_.unix_time, Duration{}, clock_check);
    sooner(std::max(next_start_, now_.instant + wait));
  }
  return out;
}

relay::PublishAnswer answer_for_relay(Outcome const& outcome, bool had_condition) {
  relay::PublishAnswer out;
  out.dht_nodes = outcome.dht_nodes;
  if (!outcome.error || outcome.error->code == ErrorCode::publish_too_few_nodes) {
    out.verdict = relay::PublishVerdict::stored;
  } else if (outcome.error->code == ErrorCode::publish_conflict) {
    out.verdict =
        had_condition ? relay::PublishVerdict::cas_mismatch : relay::PublishVerdict::newer_exists;
  }
  return out;
}

}  // namespace dotkey::publish
