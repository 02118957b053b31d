// SPDX-License-Identifier: Apache-2.0
#include "host/dns/shard.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>
#include <unistd.h>

#include "host/loop/clock.h"

namespace dotkey::host::dns {
namespace {

constexpr engine::Duration tick = engine::Duration::from_s(1);
constexpr std::size_t read_size = 64 * 1024;
// How long a turn of the loop works on what is slow: what misses the cache, and deadlines. Then
// the sockets come first again, with the queries that can be answered at once.
constexpr engine::Duration slow_work_max = engine::Duration::from_us(200);

int timeout_ms(std::optional<engine::Instant> deadline) {
  if (!deadline) return -1;
  std::int64_t const ms = ((*deadline - loop::now()).us + 999) / 1000;
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 60'000));
}

// For these the kernel vouches, or a reply to a forged address stays in our own network.
bool is_trusted(base::IpAddress const& address) {
  return address.is_local_network();
}

}  // namespace

Shard::Shard(ShardParts parts)
    : parts_(std::move(parts)),
      bridge_(parts_.bridge, entropy_),
      forwarder_(parts_.forwarder, parts_.upstream_tls.get(), poller_, entropy_, *this),
      message_buffer_(wire::dns::message_size_max + bridge::Bridge::reply_overhead_max),
      read_buffer_(read_size),
      now_(loop::moment()) {}

Shard::~Shard() {
  stop();
}

base::Result<void> Shard::open() {
  return poller_.open();
}

base::Result<base::Endpoint> Shard::listen_udp_and_tcp(base::Endpoint const& local) {
  auto port = UdpPort::open(local, poller_, *this);
  if (!port) return tl::make_unexpected(port.error());
  base::Endpoint const bound = (*port)->local();
  if (auto stream = listen_stream(bound, bridge::Transport::tcp); !stream) return stream;
  udp_ports_.push_back(std::move(*port));
  return bound;
}

base::Result<base::Endpoint> Shard::listen_stream(base::Endpoint const& local,
                                                  bridge::Transport transport) {
  auto port = StreamPort::open(local, transport, poller_, *this);
  if (!port) return tl::make_unexpected(port.error());
  stream_ports_.push_back(std::move(*port));
  return stream_ports_.back()->local();
}

void Shard::start() {
  thread_ = std::thread([this] { run(); });
}

void Shard::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  poller_.post([] {});
  thread_.join();
}

void Shard::set_now() {
  now_ = loop::moment();
  forwarder_.set_now(now_.instant);
}

void Shard::run() {
  // OpenSSL writes to sockets without MSG_NOSIGNAL; a client that is gone must not end us.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  next_tick_ = loop::now() + tick;
  while (!stopping_) {
    poller_.wait(asks_.empty() ? timeout_ms(next_deadline()) : 0, [this] { set_now(); });
    if (now_.instant >= next_tick_) tick_connections();
    finish_round();
  }
  // On this thread, where the connections' sockets are at home.
  connections_.clear();
}

std::optional<engine::Instant> Shard::next_deadline() const {
  auto out = bridge_.next_deadline();
  if (auto const other = forwarder_.next_deadline()) out = std::min(out.value_or(*other), *other);
  return std::min(out.value_or(next_tick_), next_tick_);
}

// What the sockets brought goes out, and some of the slow work is done.
void Shard::finish_round() {
  drain();
  engine::Instant const until = loop::now() + slow_work_max;
  while (do_slow_work() && loop::now() < until) drain();
  do {
    drain();
  } while (forwarder_.flush());
  forwarder_.tidy();
  remove_closed();
}

// A little of each kind. False: there is none.
bool Shard::do_slow_work() {
  auto const is_due = [this](std::optional<engine::Instant> deadline) {
    return deadline && *deadline <= now_.instant;
  };
  bool out = false;
  if (is_due(bridge_.next_deadline())) {
    bridge_.on_deadline(now_);
    out = true;
  }
  if (is_due(forwarder_.next_deadline())) {
    forwarder_.on_deadline();
    out = true;
  }
  if (asks_.empty()) return out;
  bridge::Effect const effect = std::move(asks_.front());
  asks_.pop_front();
  carry_out(effect);
  return true;
}

void Shard::update_figures() {
  ShardFigures out;
  out.bridge = bridge_.counters();
  out.forwarder = forwarder_.counters();
  std::copy(std::begin(queries_), std::end(queries_), std::begin(out.queries));
  out.answers = bridge_.cache().size();
  out.answer_bytes = bridge_.cache().bytes();
  out.questions = bridge_.questions();
  for (auto const& port : udp_ports_) out.unsent += port->unsent();
  std::lock_guard const lock(figures_mutex_);
  figures_ = out;
}

ShardFigures Shard::figures() const {
  std::lock_guard const lock(figures_mutex_);
  return figures_;
}

void Shard::tick_connections() {
  next_tick_ = now_.instant + tick;
  update_figures();
  for (auto const& [number, connection] : connections_) {
    if (connection->is_open()) connection->on_tick(now_.instant);
  }
}

void Shard::remove_closed() {
  for (std::uint64_t const number : std::exchange(closed_, {})) connections_.erase(number);
}

std::size_t Shard::on_datagram(UdpPort& port, UdpPeer const& peer, std::span<std::uint8_t> buffer,
                               std::size_t size) {
  bridge::Sender sender;
  sender.address = peer.ip();
  sender.trusted = is_trusted(sender.address);
  bridge::ClientId const id{++last_client_};
  ++queries_[static_cast<std::size_t>(bridge::Transport::udp)];
  auto const done = bridge_.on_query(now_, sender, id, buffer, size);
  if (done) {
    if (parts_.log) parts_.log->add(now_.unix_time, buffer.first(*done));
    return *done;
  }
  clients_.emplace(last_client_, UdpClient{&port, peer});
  return 0;
}

void Shard::on_accepted(StreamPort& port, int fd, base::IpAddress const& client) {
  if (!parts_.places.take(now_.instant, client)) {
    ::close(fd);
    return;
  }
  bool const is_tls = port.transport() == bridge::Transport::tls;
  bool const is_https = port.transport() == bridge::Transport::https;
  TlsSession session;
  if (is_tls) session = parts_.dot->accept(fd);
  if (is_https) session = parts_.doh->accept(fd);
  bool const failed = (is_tls || is_https) && !session;
  auto connection =
      std::make_unique<Connection>(++last_connection_, Stream(fd, std::move(session)),
                                   bridge::Sender{client, port.transport(), true}, parts_.limits,
                                   poller_, static_cast<Connection::Service&>(*this));
  if (failed || !connection->start()) {
    parts_.places.give_back(client);
    return;
  }
  connections_.emplace(last_connection_, std::move(connection));
}

void Shard::on_closed(Connection& connection) {
  parts_.places.give_back(connection.sender().address);
  closed_.push_back(connection.number());
}

std::optional<std::size_t> Shard::on_stream_query(Connection& connection, QueryToken token,
                                                  std::span<std::uint8_t> buffer,
                                                  std::size_t size) {
  bridge::ClientId const id{++last_client_};
  ++queries_[static_cast<std::size_t>(connection.sender().transport)];
  auto const done = bridge_.on_query(now_, connection.sender(), id, buffer, size);
  if (done && parts_.log) parts_.log->add(now_.unix_time, buffer.first(*done));
  if (!done) clients_.emplace(last_client_, StreamClient{connection.number(), token});
  return done;
}

void Shard::on_upstream_message(bridge::TaskId task,
                                base::Result<wire::dns::Message> const& message) {
  bridge_.on_message(now_, task, message);
}

void Shard::drain() {
  for (;;) {
    if (auto effect = bridge_.poll_effect()) {
      auto const* const ready = std::get_if<bridge::Reply>(&*effect);
      if (ready != nullptr) {
        reply(*ready);
      } else {
        asks_.push_back(std::move(*effect));
      }
    } else if (!replied_.empty()) {
      // Several replies leave in one write. What that lets in may ask for more.
      for (Connection* const connection : std::exchange(replied_, {})) {
        if (connection->is_open()) connection->flush();
      }
    } else {
      return;
    }
  }
}

void Shard::carry_out(bridge::Effect const& effect) {
  if (auto const* const wanted = std::get_if<bridge::ResolveKey>(&effect)) {
    ask_keys(*wanted);
  } else if (auto const* const upstream = std::get_if<bridge::AskUpstream>(&effect)) {
    forwarder_.ask(*upstream);
  } else if (auto const* const servers = std::get_if<bridge::AskServers>(&effect)) {
    forwarder_.ask(*servers);
  }
}

// There and back by the two loops' queues. A shard that is gone by then is not called.
void Shard::ask_keys(bridge::ResolveKey const& wanted) {
  boost::asio::post(parts_.main_loop, [this, weak = std::weak_ptr<Shard*>(self_), wanted] {
    if (weak.expired()) return;
    parts_.find_key(wanted.key, [weak, id = wanted.id](resolve::Outcome const& outcome) {
      auto const self = weak.lock();
      if (!self) return;
      Shard* const shard = *self;
      shard->poller_.post(
          [shard, id, outcome] { shard->bridge_.on_outcome(shard->now_, id, outcome); });
    });
  });
}

void Shard::reply(bridge::Reply const& reply) {
  auto const client = clients_.extract(static_cast<std::uint64_t>(reply.client));
  if (client.empty()) return;
  if (parts_.log) parts_.log->add(now_.unix_time, reply.message);
  if (auto const* const udp = std::get_if<UdpClient>(&client.mapped())) {
    return udp->port->send(udp->peer, reply.message);
  }
  auto const& stream = std::get<StreamClient>(client.mapped());
  auto const at = connections_.find(stream.connection);
  if (at == connections_.end()) return;
  at->second->reply(stream.token, reply.message);
  replied_.push_back(at->second.get());
}

}  // namespace dotkey::host::dns
