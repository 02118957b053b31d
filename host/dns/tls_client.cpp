// SPDX-License-Identifier: Apache-2.0
#include "host/dns/tls_client.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace dotkey::host::dns {

base::Result<std::shared_ptr<TlsClient const>> TlsClient::open(std::string const& authorities) {
  std::shared_ptr<TlsClient> out(new TlsClient(SSL_CTX_new(TLS_client_method())));
  SSL_CTX* const context = out->context_.get();
  bool const loaded =
      context != nullptr &&
      (authorities.empty() ? SSL_CTX_set_default_verify_paths(context)
                           : SSL_CTX_load_verify_file(context, authorities.c_str())) == 1;
  ERR_clear_error();
  if (!loaded) return base::fail(base::ErrorCode::dns_certificate_unusable, authorities);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  return out;
}

TlsSession TlsClient::connect(int fd, Upstream const& server) const {
  TlsSession out(SSL_new(context_.get()));
  if (!out || SSL_set_fd(out.get(), fd) != 1) return nullptr;
  bool const is_https = server.transport == bridge::Transport::https;
  std::string_view const protocols = is_https ? "\2h2" : "\3dot";
  base::ByteView const wire = base::view_of(protocols);
  SSL_set_alpn_protos(out.get(), wire.data(), static_cast<unsigned int>(wire.size()));
  bool named = true;
  if (server.name.empty()) {
    std::string const address = server.endpoint.address.to_string();
    named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(out.get()), address.c_str()) == 1;
  } else {
    named = SSL_set1_host(out.get(), server.name.c_str()) == 1 &&
            SSL_set_tlsext_host_name(out.get(), server.name.c_str()) == 1;
  }
  if (!named) return nullptr;
  SSL_set_connect_state(out.get());
  return out;
}

}  // namespace dotkey::host::dns
