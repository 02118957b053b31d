// SPDX-License-Identifier: Apache-2.0
// A site of the daemon's own, for a test of the whole way through a browser: a new key, its packet,
// a certificate that the packet pins, and an HTTPS server on loopback that answers with a secret.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "core/base/result.h"
#include "core/engine/entropy.h"
#include "core/record/signed_packet.h"

namespace dotkey::host::page {

// Connections at a time; nobody but the daemon's own proxy is expected.
inline constexpr std::size_t probe_connections_max = 32;

class ProbeSite {
 public:
  // `loop` outlives it. Errors: network_socket_failed, crypto_unavailable.
  static base::Result<std::unique_ptr<ProbeSite>> open(boost::asio::io_context& loop,
                                                       engine::Entropy& entropy);
  ~ProbeSite();  // the server ends, and what is connected to it
  ProbeSite(ProbeSite const&) = delete;
  ProbeSite& operator=(ProbeSite const&) = delete;

  [[nodiscard]] record::SignedPacket const& packet() const { return *packet_; }
  [[nodiscard]] std::string const& host() const { return host_; }
  // The content of its one page: 32 hexadecimal digits.
  [[nodiscard]] std::string const& token() const { return token_; }

 private:
  struct Visit;
  explicit ProbeSite(boost::asio::io_context& loop);
  base::Result<void> listen();
  base::Result<void> make_certificate(engine::Entropy& entropy);
  base::Result<void> make_packet(engine::Entropy& entropy);
  void accept();

  boost::asio::ssl::context tls_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::shared_ptr<std::size_t> open_ = std::make_shared<std::size_t>(0);
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::optional<record::SignedPacket> packet_;
  std::string pin_;  // TLSA data, as text
  std::string host_;
  std::string token_;
};

}  // namespace dotkey::host::page
