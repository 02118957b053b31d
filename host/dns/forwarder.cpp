// SPDX-License-Identifier: Apache-2.0
#include "host/dns/forwarder.h"

#include <algorithm>
#include <tuple>

#include "core/base/integers.h"
#include "core/bridge/records.h"

namespace dotkey::host::dns {

using engine::Duration;
using engine::Instant;
using wire::dns::Message;
using wire::dns::ResponseCode;

namespace {

constexpr std::size_t streams_max = 256;
constexpr std::size_t servers_max = 8;
constexpr std::size_t deadlines_at_once_max = 16;
constexpr Duration round_trip_max = Duration::from_s(2);

}  // namespace

Forwarder::Forwarder(ForwarderSettings const& settings, TlsClient const* tls, Poller& poller,
                     engine::Entropy& entropy, Service& service)
    : settings_(settings), tls_(tls), poller_(poller), entropy_(entropy), service_(service) {}

Forwarder::~Forwarder() = default;

void Forwarder::ask(bridge::AskUpstream const& question) {
  Lookup lookup;
  lookup.task = question.id;
  lookup.query = {
      question.name, question.type, true, question.dnssec_ok, question.checking_disabled, false};
  lookup.servers = in_order();
  if (lookup.servers.empty()) {
    return service_.on_upstream_message(question.id, base::fail(base::ErrorCode::dns_no_upstream));
  }
  start(std::move(lookup));
}

void Forwarder::ask(bridge::AskServers const& question) {
  Lookup lookup;
  lookup.task = question.id;
  lookup.query = {question.name, question.type, false, false, false, false};
  for (base::Endpoint const& endpoint : question.servers) {
    if (lookup.servers.size() == servers_max) break;
    lookup.servers.push_back({bridge::Transport::udp, endpoint, {}, {}});
  }
  start(std::move(lookup));
}

// The healthy ones by their round trips, then those that rest.
std::vector<Upstream> Forwarder::in_order() {
  std::vector<std::tuple<bool, engine::Duration, std::size_t>> ranks;
  for (std::size_t i = 0; i < settings_.upstreams.size(); ++i) {
    Health& health = health_[settings_.upstreams[i].endpoint];
    if (health.rests_until != Instant{} && health.rests_until <= now_) {
      // It has its chance again, and is given up at the first failure.
      health = {};
      health.failures = settings_.failures_max - 1;
    }
    ranks.emplace_back(health.rests_until > now_, health.round_trip, i);
  }
  std::sort(ranks.begin(), ranks.end());
  std::vector<Upstream> out;
  for (auto const& rank : ranks) out.push_back(settings_.upstreams[std::get<std::size_t>(rank)]);
  return out;
}

void Forwarder::start(Lookup lookup) {
  ++counters_.asked;
  lookup.query.name = toss_case(lookup.query.name, entropy_);
  lookup.ends = now_ + settings_.timeout;
  LookupNumber const number = ++last_number_;
  lookups_.emplace(number, std::move(lookup));
  send_next(number);
}

void Forwarder::schedule(LookupNumber number, Lookup& lookup, Instant due) {
  deadlines_.erase({lookup.due, number});
  lookup.due = std::min(due, lookup.ends);
  deadlines_.emplace(lookup.due, number);
}

void Forwarder::send_next(LookupNumber number) {
  Lookup& lookup = lookups_.at(number);
  while (lookup.next < lookup.servers.size()) {
    Upstream const server = lookup.servers[lookup.next++];
    if (!send(number, lookup, server)) continue;
    if (++lookup.open > 1) ++counters_.raced;
    lookup.sent_at[server.endpoint] = now_;
    auto const known = health_.find(server.endpoint);
    Duration const usual =
        known == health_.end() ? settings_.race_after_max : known->second.round_trip * 3;
    return schedule(number, lookup,
                    now_ + std::clamp(usual, settings_.race_after_min, settings_.race_after_max));
  }
  if (lookup.open > 0) return schedule(number, lookup, lookup.ends);
  if (lookup.refusal) {
    Message const message = *lookup.refusal;
    return finish(number, message);
  }
  finish(number, base::fail(base::ErrorCode::dns_upstream_failed));
}

bool Forwarder::send(LookupNumber number, Lookup& lookup, Upstream const& server) {
  ++counters_.sent;
  return server.transport == bridge::Transport::udp ? send_udp(number, lookup, server)
                                                    : send_stream(number, lookup, server);
}

bool Forwarder::send_udp(LookupNumber number, Lookup& lookup, Upstream const& server) {
  UpstreamUdp* const socket = socket_for(server.endpoint);
  if (socket == nullptr) return false;
  auto id = static_cast<std::uint16_t>(entropy_.next_u64());
  while (socket->waiting.contains(id)) ++id;
  if (!socket->send(encode_query(id, lookup.query))) return false;
  socket->waiting.emplace(id, number);
  lookup.sockets.emplace_back(socket, id);
  return true;
}

bool Forwarder::send_stream(LookupNumber number, Lookup& lookup, Upstream const& server) {
  UpstreamStream* const stream = stream_for(server);
  if (stream == nullptr) return false;
  UpstreamQuery query = lookup.query;
  query.padded = server.transport != bridge::Transport::tcp;
  constexpr int ids_tried_max = 8;
  for (int i = 0; i < ids_tried_max; ++i) {
    auto const id = static_cast<std::uint16_t>(entropy_.next_u64());
    auto const token = stream->submit(number, encode_query(id, query), now_);
    if (!token) continue;
    StreamKey const key{server.endpoint, server.transport};
    lookup.streams.emplace_back(key, *token);
    unsent_.insert(key);
    return true;
  }
  return false;
}

// A new one, and with it a new port, for each query; when there are many, any that leads there.
UpstreamUdp* Forwarder::socket_for(base::Endpoint const& server) {
  if (sockets_.size() < settings_.sockets_max) {
    auto socket = UpstreamUdp::open(server, poller_, *this);
    if (socket) {
      socket->place = sockets_.size();
      sockets_.push_back(std::move(socket));
      return sockets_.back().get();
    }
  }
  constexpr std::size_t waiting_max = 16'384;
  if (sockets_.empty()) return nullptr;
  std::size_t const start = entropy_.below(static_cast<std::uint32_t>(sockets_.size()));
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    UpstreamUdp* const socket = sockets_[(start + i) % sockets_.size()].get();
    if (socket->server() == server && socket->waiting.size() < waiting_max) return socket;
  }
  return nullptr;
}

// It is freed later; the last one takes its place.
void Forwarder::remove(UpstreamUdp& socket) {
  std::size_t const place = socket.place;
  socket.close();
  std::swap(sockets_[place], sockets_.back());
  sockets_[place]->place = place;
  old_sockets_.push_back(std::move(sockets_.back()));
  sockets_.pop_back();
}

UpstreamStream* Forwarder::stream_for(Upstream const& server) {
  StreamKey const key{server.endpoint, server.transport};
  auto const at = streams_.find(key);
  if (at != streams_.end()) return at->second.get();
  if (streams_.size() >= streams_max) return nullptr;
  auto stream = UpstreamStream::open(server, tls_, poller_, *this);
  UpstreamStream* const out = stream.get();
  if (out != nullptr) streams_.emplace(key, std::move(stream));
  return out;
}

bool Forwarder::flush() {
  if (unsent_.empty()) return false;
  for (StreamKey const& key : std::exchange(unsent_, {})) {
    if (auto const at = streams_.find(key); at != streams_.end()) at->second->flush();
  }
  return true;
}

void Forwarder::on_udp_message(UpstreamUdp& socket, base::ByteView bytes, bool in_fragments) {
  if (bytes.size() < wire::dns::header_size) {
    ++counters_.foreign;
    return;
  }
  auto const id = base::read_be<std::uint16_t>(bytes);
  auto const at = socket.waiting.find(id);
  auto const found = at == socket.waiting.end() ? lookups_.end() : lookups_.find(at->second);
  if (found != lookups_.end() && in_fragments) return ask_over_tcp(found->first, socket, id);
  auto message = wire::dns::parse_message(bytes, wire::dns::rules_for_sockets);
  if (found == lookups_.end() || !message) {
    ++counters_.foreign;
    return;
  }
  LookupNumber const number = found->first;
  ReplyFit const fit = fit_of(*message, id, found->second.query);
  if (fit == ReplyFit::foreign) {
    ++counters_.foreign;
    return;
  }
  if (fit == ReplyFit::ours && !message->truncated) {
    return on_reply(number, socket.server(), std::move(*message));
  }
  ask_over_tcp(number, socket, id);
}

// The whole of what was truncated, or, from a server that forgets the case of letters or whose
// replies come in pieces, a reply to be sure of. Such a reply may also be a guess: this socket is
// not heard again, or the next guess might fit.
void Forwarder::ask_over_tcp(LookupNumber number, UpstreamUdp& socket, std::uint16_t id) {
  ++counters_.truncated;
  Lookup& lookup = lookups_.at(number);
  Upstream const server{bridge::Transport::tcp, socket.server(), {}, {}};
  std::erase(lookup.sockets, std::pair(&socket, id));
  leave(socket, id);
  if (!send_stream(number, lookup, server)) on_failure(number, server.endpoint);
}

void Forwarder::on_udp_refused(UpstreamUdp& socket) {
  std::vector<LookupNumber> waiting;
  for (auto const& [id, number] : socket.waiting) waiting.push_back(number);
  base::Endpoint const server = socket.server();
  for (LookupNumber const number : waiting) on_failure(number, server);
}

void Forwarder::on_stream_message(UpstreamStream& stream, std::uint64_t number,
                                  base::ByteView bytes) {
  auto const at = lookups_.find(number);
  if (at == lookups_.end()) return;
  auto message = wire::dns::parse_message(bytes, wire::dns::rules_for_sockets);
  // The stream has matched the ids; HTTP has none.
  bool const fits = message && fit_of(*message, message->id, at->second.query) != ReplyFit::foreign;
  base::Endpoint const server = stream.server().endpoint;
  if (fits) return on_reply(number, server, std::move(*message));
  ++counters_.foreign;
  on_failure(number, server);
}

void Forwarder::on_stream_closed(UpstreamStream& stream) {
  auto node = streams_.extract({stream.server().endpoint, stream.server().transport});
  if (!node.empty()) old_streams_.push_back(std::move(node.mapped()));
  std::vector<LookupNumber> waiting;
  for (auto const& [token, number] : stream.waiting()) waiting.push_back(number);
  Upstream const upstream = stream.server();
  for (LookupNumber const number : waiting) retry(number, upstream);
}

// A kept connection may end just when it is wanted; a new one gets one chance.
void Forwarder::retry(LookupNumber number, Upstream const& server) {
  auto const at = lookups_.find(number);
  bool const may = at != lookups_.end() && !std::exchange(at->second.has_retried, true);
  if (may && send_stream(number, at->second, server)) return;
  on_failure(number, server.endpoint);
}

void Forwarder::on_reply(LookupNumber number, base::Endpoint const& server, Message message) {
  Lookup& lookup = lookups_.at(number);
  auto const sent = lookup.sent_at.find(server);
  bool const is_first = sent != lookup.sent_at.end();
  auto const known = health_.find(server);
  if (is_first && known != health_.end()) {
    Health& health = known->second;
    health.round_trip = (health.round_trip * 7 + (now_ - sent->second)) / 8;
    health.failures = 0;
    health.rests_until = Instant{};
  }
  if (is_first) lookup.sent_at.erase(sent);
  settle_case(message);
  if (bridge::is_final(message)) return finish(number, message);
  if (!is_first) return;
  // Another one may know better.
  lookup.refusal = std::move(message);
  --lookup.open;
  if (lookup.open == 0) send_next(number);
}

void Forwarder::note_failure(base::Endpoint const& server) {
  auto const known = health_.find(server);
  if (known == health_.end()) return;
  Health& health = known->second;
  health.round_trip = std::min(health.round_trip * 2, round_trip_max);
  if (++health.failures >= settings_.failures_max) health.rests_until = now_ + settings_.rest;
}

void Forwarder::on_failure(LookupNumber number, base::Endpoint const& server) {
  auto const at = lookups_.find(number);
  if (at == lookups_.end()) return;
  // A server fails a question once.
  if (at->second.sent_at.erase(server) == 0) return;
  note_failure(server);
  --at->second.open;
  if (at->second.open == 0) send_next(number);
}

void Forwarder::finish(LookupNumber number, base::Result<Message> const& message) {
  auto const node = lookups_.extract(number);
  Lookup const& lookup = node.mapped();
  deadlines_.erase({lookup.due, number});
  release(number, lookup);
  // Those that the quicker one left behind.
  for (auto const& [server, sent] : lookup.sent_at) {
    if (now_ - sent >= settings_.race_after_min) note_failure(server);
  }
  if (!message) ++counters_.failed;
  service_.on_upstream_message(lookup.task, message);
}

// A socket that nobody waits on is closed: the next query has a new port.
void Forwarder::leave(UpstreamUdp& socket, std::uint16_t id) {
  socket.waiting.erase(id);
  if (socket.waiting.empty()) remove(socket);
}

void Forwarder::release(LookupNumber number, Lookup const& lookup) {
  for (auto const& [socket, id] : lookup.sockets) leave(*socket, id);
  for (auto const& [key, token] : lookup.streams) {
    if (auto const at = streams_.find(key); at != streams_.end()) at->second->forget(token, number);
  }
}

void Forwarder::on_deadline() {
  for (std::size_t i = 0; i < deadlines_at_once_max; ++i) {
    if (deadlines_.empty() || now_ < deadlines_.begin()->first) return;
    LookupNumber const number = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    Lookup& lookup = lookups_.at(number);
    if (now_ < lookup.ends) {
      send_next(number);
      continue;
    }
    finish(number, base::fail(base::ErrorCode::dns_upstream_failed));
  }
}

std::optional<Instant> Forwarder::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

void Forwarder::tidy() {
  old_sockets_.clear();
  old_streams_.clear();
  for (auto at = streams_.begin(); at != streams_.end();) {
    UpstreamStream const& stream = *at->second;
    bool const is_idle =
        stream.waiting().empty() && now_ - stream.used_at() > settings_.stream_idle;
    at = is_idle ? streams_.erase(at) : std::next(at);
  }
}

}  // namespace dotkey::host::dns
