// SPDX-License-Identifier: Apache-2.0
#include "host/dns/shard.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "host/loop/clock.h"

namespace dotkey::host::dns {
namespace {

int timeout_ms(std::optional<engine::Instant> deadline) {
  if (!deadline) return -1;
  std::int64_t const ms = ((*deadline - loop::now()).us + 999) / 1000;
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 60'000));
}

}  // namespace

Shard::Shard(bridge::BridgeSettings const& settings, boost::asio::io_context& main_loop,
             FindKey find_key)
    : main_loop_(main_loop), find_key_(std::move(find_key)), bridge_(settings, entropy_) {}

Shard::~Shard() {
  stop();
}

base::Result<void> Shard::open() {
  return poller_.open();
}

base::Result<base::Endpoint> Shard::listen_udp(base::Endpoint const& local) {
  auto port = UdpPort::open(local, poller_, *this);
  if (!port) return tl::make_unexpected(port.error());
  udp_ports_.push_back(std::move(*port));
  return udp_ports_.back()->local();
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

void Shard::run() {
  while (!stopping_) {
    poller_.wait(timeout_ms(bridge_.next_deadline()));
    if (auto const deadline = bridge_.next_deadline(); deadline && *deadline <= loop::now()) {
      bridge_.on_deadline(loop::moment());
      drain();
    }
  }
}

void Shard::on_batch_begins() {
  now_ = loop::moment();
}

// For these the kernel vouches, or a reply to a forged address stays in our own network.
bool Shard::is_trusted(base::IpAddress const& address) const {
  return address.is_local_network();
}

std::size_t Shard::on_datagram(UdpPort& port, UdpPeer const& peer, std::span<std::uint8_t> buffer,
                               std::size_t size) {
  bridge::Sender sender;
  sender.address = peer.ip();
  sender.trusted = is_trusted(sender.address);
  bridge::ClientId const id{++last_client_};
  auto const done = bridge_.on_query(now_, sender, id, buffer, size);
  if (done) return *done;
  udp_clients_.emplace(last_client_, UdpClient{&port, peer});
  return 0;
}

void Shard::on_batch_ends() {
  drain();
}

void Shard::drain() {
  while (auto effect = bridge_.poll_effect()) {
    if (auto const* const wanted = std::get_if<bridge::ResolveKey>(&*effect)) {
      ask_keys(*wanted);
    } else if (auto const* const ready = std::get_if<bridge::Reply>(&*effect)) {
      reply(*ready);
    } else if (auto const* const upstream = std::get_if<bridge::AskUpstream>(&*effect)) {
      bridge_.on_message(loop::moment(), upstream->id,
                         base::fail(base::ErrorCode::dns_no_upstream));
    } else if (auto const* const servers = std::get_if<bridge::AskServers>(&*effect)) {
      bridge_.on_message(loop::moment(), servers->id,
                         base::fail(base::ErrorCode::dns_servers_failed));
    }
  }
}

// There and back by the two loops' queues. A shard that is gone by then is not called.
void Shard::ask_keys(bridge::ResolveKey const& wanted) {
  boost::asio::post(main_loop_, [this, weak = std::weak_ptr<Shard*>(self_), wanted] {
    if (weak.expired()) return;
    find_key_(wanted.key, [weak, id = wanted.id](resolve::Outcome const& outcome) {
      auto const self = weak.lock();
      if (!self) return;
      Shard* const shard = *self;
      shard->poller_.post([shard, id, outcome] {
        shard->bridge_.on_outcome(loop::moment(), id, outcome);
        shard->drain();
      });
    });
  });
}

void Shard::reply(bridge::Reply const& reply) {
  auto const client = udp_clients_.extract(static_cast<std::uint64_t>(reply.client));
  if (!client.empty()) client.mapped().port->send(client.mapped().peer, reply.message);
}

}  // namespace dotkey::host::dns
