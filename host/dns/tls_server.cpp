// SPDX-License-Identifier: Apache-2.0
#include "host/dns/tls_server.h"

#include <openssl/err.h>

#include "core/base/bytes.h"

namespace dotkey::host::dns {
namespace {

// RFC 7858 §3.1 asks for no ALPN; who offers some must offer "dot".
constexpr std::string_view dot_protocols = "\3dot";
constexpr std::string_view doh_protocols = "\2h2\10http/1.1";

int select_protocol(SSL*, unsigned char const** out, unsigned char* out_size,
                    unsigned char const* offered, unsigned int offered_size, void* ours) {
  auto const& own = *static_cast<std::string_view const*>(ours);
  base::ByteView const wire = base::view_of(own);
  unsigned char* chosen = nullptr;
  int const found =
      SSL_select_next_proto(&chosen, out_size, wire.data(), static_cast<unsigned int>(wire.size()),
                            offered, offered_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

base::Failure unusable(std::string const& file) {
  char reason[160] = "no reason given";
  if (unsigned long const code = ERR_get_error(); code != 0) {
    ERR_error_string_n(code, reason, sizeof reason);
  }
  ERR_clear_error();
  return base::fail(base::ErrorCode::dns_certificate_unusable, file + ": " + reason);
}

}  // namespace

base::Result<std::shared_ptr<TlsServer>> TlsServer::open(std::string const& certificate,
                                                         std::string const& key, TlsUse use) {
  std::shared_ptr<TlsServer> out(new TlsServer(SSL_CTX_new(TLS_server_method())));
  SSL_CTX* const context = out->context_.get();
  if (context == nullptr) return unusable(certificate);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // A client that renegotiates costs us a handshake for a few bytes of its own.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  // One ticket is enough to come back with; sessions are not kept here.
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  auto const& protocols = use == TlsUse::dot ? dot_protocols : doh_protocols;
  SSL_CTX_set_alpn_select_cb(context, &select_protocol, const_cast<std::string_view*>(&protocols));
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return unusable(certificate);
  }
  bool const has_key = SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1 &&
                       SSL_CTX_check_private_key(context) == 1;
  if (!has_key) return unusable(key);
  return out;
}

TlsSession TlsServer::accept(int fd) const {
  TlsSession out(SSL_new(context_.get()));
  if (!out || SSL_set_fd(out.get(), fd) != 1) return nullptr;
  SSL_set_accept_state(out.get());
  return out;
}

}  // namespace dotkey::host::dns
