// SPDX-License-Identifier: Apache-2.0
// The server's side of TLS: certificate, versions, ALPN (RFC 7301).
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "core/base/result.h"

namespace dotkey::host::dns {

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};
using TlsSession = std::unique_ptr<SSL, FreeTls>;

enum class TlsUse : std::uint8_t { dot, doh };

// For any number of threads.
class TlsServer {
 public:
  // PEM files: the certificate with its chain, and its key. TLS 1.2 and 1.3 without renegotiation.
  // Errors: dns_certificate_unusable.
  static base::Result<std::shared_ptr<TlsServer>> open(std::string const& certificate,
                                                       std::string const& key, TlsUse use);
  // For an accepted socket; nullptr without memory.
  [[nodiscard]] TlsSession accept(int fd) const;

 private:
  explicit TlsServer(SSL_CTX* context) : context_(context) {}
  std::unique_ptr<SSL_CTX, FreeTls> context_;
};

}  // namespace dotkey::host::dns
