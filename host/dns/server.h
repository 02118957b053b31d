// SPDX-License-Identifier: Apache-2.0
// The DNS server: shards that share addresses, and where they get packets from.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/dns/shard.h"

namespace dotkey::host::dns {

struct ServerSettings {
  // Port 0 lets the system choose: UDP and TCP, DNS over TLS, DNS over HTTPS.
  std::vector<base::Endpoint> listen;
  std::vector<base::Endpoint> listen_tls;
  std::vector<base::Endpoint> listen_https;
  // PEM files; for the latter two.
  std::string certificate;
  std::string key;
  std::uint32_t shards = 1;
  bridge::BridgeSettings bridge;
  ConnectionLimits limits;
  ConnectionPlacesSettings places;
};

// Where it listens, in the order of the settings.
struct ServerAddresses {
  std::vector<base::Endpoint> dns;
  std::vector<base::Endpoint> tls;
  std::vector<base::Endpoint> https;
};

class Server {
 public:
  // `main_loop` and what `find_key` uses outlive the server. Errors: network_socket_failed,
  // dns_certificate_unusable.
  static base::Result<std::unique_ptr<Server>> open(boost::asio::io_context& main_loop,
                                                    FindKey find_key, ServerSettings settings);
  ~Server();  // ends the threads
  Server(Server const&) = delete;
  Server& operator=(Server const&) = delete;

  [[nodiscard]] ServerAddresses const& addresses() const { return addresses_; }

 private:
  explicit Server(ServerSettings settings);
  base::Result<void> open_shards(boost::asio::io_context& main_loop, FindKey const& find_key);
  base::Result<void> listen();

  loop::SystemEntropy entropy_;
  ServerSettings settings_;
  ConnectionPlaces places_;
  std::vector<std::unique_ptr<Shard>> shards_;
  ServerAddresses addresses_;
};

}  // namespace dotkey::host::dns
