// SPDX-License-Identifier: Apache-2.0
// The DNS server: shards that share addresses, and where they get packets from.
#pragma once

#include <memory>
#include <vector>

#include "host/dns/shard.h"

namespace dotkey::host::dns {

struct ServerSettings {
  // Each is served over UDP and TCP. Port 0 lets the system choose.
  std::vector<base::Endpoint> listen;
  std::uint32_t shards = 1;
  bridge::BridgeSettings bridge;
};

class Server {
 public:
  // `main_loop` and what `find_key` uses outlive the server. Errors: network_socket_failed.
  static base::Result<std::unique_ptr<Server>> open(boost::asio::io_context& main_loop,
                                                    FindKey const& find_key,
                                                    ServerSettings const& settings);
  ~Server();  // ends the threads
  Server(Server const&) = delete;
  Server& operator=(Server const&) = delete;

  // Where it listens, in the order of the settings.
  [[nodiscard]] std::vector<base::Endpoint> const& addresses() const { return addresses_; }

 private:
  Server() = default;

  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<base::Endpoint> addresses_;
};

}  // namespace dotkey::host::dns
