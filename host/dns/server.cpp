// SPDX-License-Identifier: Apache-2.0
#include "host/dns/server.h"

namespace dotkey::host::dns {

base::Result<std::unique_ptr<Server>> Server::open(boost::asio::io_context& main_loop,
                                                   FindKey const& find_key,
                                                   ServerSettings const& settings) {
  std::unique_ptr<Server> out(new Server());
  for (std::uint32_t i = 0; i < settings.shards; ++i) {
    out->shards_.push_back(std::make_unique<Shard>(settings.bridge, main_loop, find_key));
    if (auto opened = out->shards_.back()->open(); !opened) {
      return tl::make_unexpected(opened.error());
    }
  }
  for (base::Endpoint local : settings.listen) {
    for (auto const& shard : out->shards_) {
      auto const address = shard->listen_udp(local);
      if (!address) return tl::make_unexpected(address.error());
      local = *address;  // the port that the system chose is everybody's
    }
    out->addresses_.push_back(local);
  }
  for (auto const& shard : out->shards_) shard->start();
  return out;
}

Server::~Server() {
  for (auto const& shard : shards_) shard->stop();
}

}  // namespace dotkey::host::dns
