// SPDX-License-Identifier: Apache-2.0
// Our side of TLS towards upstreams: their certificate is checked, or there is no connection.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"

#include "host/dns/tls_server.h"
#include "host/dns/upstream.h"

namespace dotkey::host::dns {

class TlsClient {
 public:
  // `authorities`: a PEM file; empty: the system's. Errors: dns_certificate_unusable.
  static base::Result<std::shared_ptr<TlsClient const>> open(std::string const& authorities);
  // nullptr without memory.
  [[nodiscard]] TlsSession connect(int fd, Upstream const& server) const;

 private:
  explicit TlsClient(SSL_CTX* context) : context_(context) {}
  std::unique_ptr<SSL_CTX, FreeTls> context_;
};

}  // namespace dotkey::host::dns
