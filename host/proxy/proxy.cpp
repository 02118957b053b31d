// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/proxy.h"

#include <cerrno>
#include <cstring>

#include <boost/asio/post.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/assert.h"

#include "host/loop/socket_address.h"
#include "host/proxy/answers.h"

namespace dotkey::host::proxy {
namespace {

constexpr std::chrono::seconds tick_interval{1};
constexpr int accepts_a_turn_max = 64;

int select_alpn(SSL* ssl, unsigned char const** out, unsigned char* out_size, unsigned char const*,
                unsigned, void*) {
  auto const* const tunnel = static_cast<Tunnel const*>(SSL_get_app_data(ssl));
  if (tunnel == nullptr || tunnel->alpn().empty()) return SSL_TLSEXT_ERR_NOACK;
  *out = reinterpret_cast<unsigned char const*>(tunnel->alpn().data());
  *out_size = static_cast<unsigned char>(tunnel->alpn().size());
  return SSL_TLSEXT_ERR_OK;
}

SslContextPtr make_server_context() {
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  DOTKEY_ASSERT(context && SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  // The leaf is all that is shown: nothing is to be searched for each connection.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  DOTKEY_ASSERT(SSL_CTX_set_ciphersuites(context.get(),
                                         "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                         "TLS_CHACHA20_POLY1305_SHA256") == 1);
  // What a P-256 leaf can be used with: shorter lists are gone through faster.
  DOTKEY_ASSERT(SSL_CTX_set_cipher_list(context.get(), "ECDHE+ECDSA+AESGCM:ECDHE+ECDSA+CHACHA20") ==
                    1 &&
                SSL_CTX_set1_sigalgs_list(context.get(), "ECDSA+SHA256") == 1 &&
                SSL_CTX_set1_groups_list(context.get(), "X25519:P-256:P-384") == 1);
  // Tickets carry all; nothing of a session stays here.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 1);
  SSL_CTX_set_alpn_select_cb(context.get(), &select_alpn, nullptr);
  return context;
}

}  // namespace

Proxy::Proxy(boost::asio::io_context& loop_, trust::LeafMint& mint_)
    : loop(loop_),
      mint(mint_),
      events(loop_),
      server_context(make_server_context()),
      client_context(Upstreams::make_context()) {}

Proxy::~Proxy() = default;

base::Result<std::unique_ptr<Port>> Proxy::open_port(PortSettings settings, Gate& gate) {
  auto const failure = [&](int fd) {
    std::string detail = settings.listen.to_string();
    detail.append(": ").append(std::strerror(errno));
    if (fd >= 0) ::close(fd);
    return base::fail(base::ErrorCode::network_socket_failed, std::move(detail));
  };
  DOTKEY_ASSERT(settings.listen.address.is_loopback());
  int const family = settings.listen.address.is_v4() ? AF_INET : AF_INET6;
  int const fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failure(fd);
  int const on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  loop::SocketAddress bound = loop::socket_address_of(settings.listen);
  if (::bind(fd, bound.get(), bound.size) != 0 || ::listen(fd, SOMAXCONN) != 0) return failure(fd);
  socklen_t size = sizeof bound.storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &size) != 0) {
    return failure(fd);
  }
  auto const endpoint = loop::endpoint_of(bound.get());
  DOTKEY_ASSERT(endpoint);
  auto port = std::unique_ptr<Port>(new Port(*this, std::move(settings), gate, fd, *endpoint));
  if (!events.add(fd, *port)) return base::fail(base::ErrorCode::network_socket_failed, "epoll");
  port->arm_tick();
  return port;
}

Port::Port(Proxy& proxy, PortSettings settings, Gate& gate, int fd, base::Endpoint const& endpoint)
    : proxy_(proxy),
      settings_(std::move(settings)),
      gate_(gate),
      upstreams_(proxy.loop, proxy.events, proxy.scratch, proxy.client_context.get(), gate),
      listener_(fd),
      endpoint_(endpoint),
      tick_(proxy.loop) {
  if (!settings_.user) settings_.user = ::geteuid();
}

Port::~Port() {
  proxy_.events.remove(listener_, *this);
  ::close(listener_);
  tunnels_.clear();
}

void Port::on_ready(std::uint32_t) {
  // Bounded, since accepting starves what runs; the rest comes with the next turn of the loop.
  for (int i = 0; i < accepts_a_turn_max; ++i) {
    int const fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      on_accepted(fd);
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;  // empty, or out of descriptors: on_tick tries again
    }
  }
  boost::asio::post(proxy_.loop, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) on_ready(EPOLLIN);
  });
}

void Port::on_accepted(int fd) {
  ++counters_.accepted;
  if (tunnels_.size() >= settings_.connections_max) {
    ++counters_.turned_away;
    std::string const answer = refusal_of_connect(503, base::slug_of(base::ErrorCode::proxy_busy));
    ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(fd);
    return;
  }
  if (proxy_.peer_user.owner_of_peer(fd) != settings_.user) {
    ++counters_.strangers;
    ::close(fd);
    return;
  }
  int const on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  tunnels_.push_back(std::make_unique<Tunnel>(*this, fd));
  if (!tunnels_.back()->start()) tunnels_.pop_back();
}

void Port::cut_off(Site const& site) {
  forget(site);
  for (auto const& tunnel : tunnels_) tunnel->end_for(site);
}

void Port::cut_off(crypto::PublicKey const& key) {
  upstreams_.forget(key);
  for (auto const& tunnel : tunnels_) tunnel->end_for(key);
}

void Port::end_plain(crypto::PublicKey const& key) {
  for (auto const& tunnel : tunnels_) tunnel->end_plain(key);
}

void Port::arm_tick() {
  tick_.expires_after(tick_interval);
  tick_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
    if (error || alive.expired()) return;
    Clock::time_point const now = Clock::now();
    for (auto const& tunnel : tunnels_) tunnel->on_tick(now);
    upstreams_.on_tick();
    on_ready(EPOLLIN);
    arm_tick();
  });
}

// A tunnel ends in the middle of its own work: it is destroyed by the loop, when nothing of it is
// on the stack.
void Port::retire_later() {
  if (std::exchange(retiring_, true)) return;
  boost::asio::post(proxy_.loop, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    retiring_ = false;
    tunnels_.remove_if([](auto const& tunnel) { return tunnel->is_over(); });
  });
}

}  // namespace dotkey::host::proxy
