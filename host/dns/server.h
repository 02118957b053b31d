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
  ForwarderSettings forwarder;
  // PEM file of those who may vouch for upstreams; empty: the system's.
  std::string upstream_authorities;
  // Empty: what is asked is not written down.
  std::string query_log;
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
  // dns_certificate_unusable, file_unwritable.
  static base::Result<std::unique_ptr<Server>> open(boost::asio::io_context& main_loop,
                                                    FindKey find_key, ServerSettings settings);
  ~Server();  // ends the threads
  Server(Server const&) = delete;
  Server& operator=(Server const&) = delete;

  [[nodiscard]] ServerAddresses const& addresses() const { return addresses_; }
  // Counters of all shards together, as Prometheus reads them.
  [[nodiscard]] std::string metrics() const;

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
