// SPDX-License-Identifier: Apache-2.0
#include "host/dns/server.h"

#include <algorithm>
#include <utility>

namespace dotkey::host::dns {
namespace {

// A port that the system chose for UDP may be somebody's over TCP.
constexpr int ports_tried_max = 16;

base::Result<base::Endpoint> listen_first(Shard& shard, base::Endpoint const& local) {
  auto out = shard.listen_udp_and_tcp(local);
  for (int i = 1; i < ports_tried_max && !out && local.port == 0; ++i) {
    out = shard.listen_udp_and_tcp(local);
  }
  return out;
}

}  // namespace

Server::Server(ServerSettings settings)
    : settings_(std::move(settings)), places_(settings_.places, entropy_) {
  // One for all shards: a client comes back to another one.
  entropy_.fill(settings_.bridge.admission.cookie_secret);
}

base::Result<std::unique_ptr<Server>> Server::open(boost::asio::io_context& main_loop,
                                                   FindKey find_key, ServerSettings settings) {
  std::unique_ptr<Server> out(new Server(std::move(settings)));
  if (auto opened = out->open_shards(main_loop, find_key); !opened) {
    return tl::make_unexpected(opened.error());
  }
  if (auto listening = out->listen(); !listening) return tl::make_unexpected(listening.error());
  for (auto const& shard : out->shards_) shard->start();
  return out;
}

base::Result<void> Server::open_shards(boost::asio::io_context& main_loop,
                                       FindKey const& find_key) {
  ShardParts parts{
      main_loop, find_key, settings_.bridge, settings_.limits, places_, settings_.forwarder, {}, {},
      {},        {}};
  auto const load = [&](TlsUse use, std::shared_ptr<TlsServer>& out) -> base::Result<void> {
    auto server = TlsServer::open(settings_.certificate, settings_.key, use);
    if (!server) return tl::make_unexpected(server.error());
    out = std::move(*server);
    return {};
  };
  if (!settings_.listen_tls.empty()) {
    if (auto loaded = load(TlsUse::dot, parts.dot); !loaded) return loaded;
  }
  if (!settings_.listen_https.empty()) {
    if (auto loaded = load(TlsUse::doh, parts.doh); !loaded) return loaded;
  }
  bool const has_tls =
      std::any_of(settings_.forwarder.upstreams.begin(), settings_.forwarder.upstreams.end(),
                  [](Upstream const& upstream) {
                    return upstream.transport == bridge::Transport::tls ||
                           upstream.transport == bridge::Transport::https;
                  });
  if (has_tls) {
    auto client = TlsClient::open(settings_.upstream_authorities);
    if (!client) return tl::make_unexpected(client.error());
    parts.upstream_tls = std::move(*client);
  }
  if (!settings_.query_log.empty()) {
    auto log = QueryLog::open(settings_.query_log);
    if (!log) return tl::make_unexpected(log.error());
    parts.log = std::move(*log);
  }
  for (std::uint32_t i = 0; i < settings_.shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(parts));
    if (auto opened = shards_.back()->open(); !opened) return opened;
  }
  return {};
}

// The first shard finds the port, the others share it.
base::Result<void> Server::listen() {
  for (base::Endpoint const& wanted : settings_.listen) {
    auto const local = listen_first(*shards_.front(), wanted);
    if (!local) return tl::make_unexpected(local.error());
    addresses_.dns.push_back(*local);
    for (std::size_t i = 1; i < shards_.size(); ++i) {
      auto const shared = shards_[i]->listen_udp_and_tcp(*local);
      if (!shared) return tl::make_unexpected(shared.error());
    }
  }
  auto const listen_streams = [&](auto const& all, bridge::Transport transport,
                                  auto& out) -> base::Result<void> {
    for (base::Endpoint local : all) {
      for (auto const& shard : shards_) {
        auto const bound = shard->listen_stream(local, transport);
        if (!bound) return tl::make_unexpected(bound.error());
        local = *bound;
      }
      out.push_back(local);
    }
    return {};
  };
  auto done = listen_streams(settings_.listen_tls, bridge::Transport::tls, addresses_.tls);
  if (!done) return done;
  return listen_streams(settings_.listen_https, bridge::Transport::https, addresses_.https);
}

Server::~Server() {
  for (auto const& shard : shards_) shard->stop();
}

}  // namespace dotkey::host::dns
