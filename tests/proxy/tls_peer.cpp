// SPDX-License-Identifier: Apache-2.0
#include "tests/proxy/tls_peer.h"

#include <csignal>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/trust/certificate_builder.h"

namespace dotkey::tests {
namespace {

using host::trust::PrivateKeyPtr;
using host::trust::X509Ptr;

int choose_alpn(SSL*, unsigned char const** out, unsigned char* size, unsigned char const* in,
                unsigned in_size, void*) {
  static constexpr unsigned char ours[] = "\x02h2\x08http/1.1";
  unsigned char* chosen = nullptr;
  int const found = SSL_select_next_proto(&chosen, size, ours, sizeof ours - 1, in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Peer::Peer(int fd) : fd_(fd) {
  timeval const patience{10, 0};
  int const on = 1;
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Peer::Peer(Peer&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), ssl_(std::move(other.ssl_)) {}

Peer::~Peer() {
  if (fd_ >= 0) ::close(fd_);
}

Peer Peer::connect(std::uint16_t port) {
  int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in const address = loopback(port);
  if (::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
    throw std::runtime_error("connect");
  }
  return Peer(fd);
}

void Peer::send(std::string_view text) const {
  ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
}

std::string Peer::receive_head() {
  std::string text;
  char c = 0;
  while (!text.ends_with("\r\n\r\n") && ::recv(fd_, &c, 1, 0) == 1) text.push_back(c);
  return text;
}

bool Peer::has_input() const {
  pollfd waiting{fd_, POLLIN, 0};
  return ::poll(&waiting, 1, 0) != 0;
}

bool Peer::start_tls(SSL_CTX* context, std::string const& host, std::string_view alpn) {
  ssl_.reset(SSL_new(context));
  SSL_set_fd(ssl_.get(), fd_);
  SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
  SSL_set1_host(ssl_.get(), host.c_str());
  SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<unsigned char const*>(alpn.data()),
                      static_cast<unsigned>(alpn.size()));
  bool const done = SSL_connect(ssl_.get()) == 1;
  ERR_clear_error();
  return done;
}

bool Peer::accept_tls(SSL_CTX* context) {
  ssl_.reset(SSL_new(context));
  SSL_set_fd(ssl_.get(), fd_);
  bool const done = SSL_accept(ssl_.get()) == 1;
  ERR_clear_error();
  return done;
}

bool Peer::write(std::string_view text) {
  bool const done = SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) ==
                    static_cast<int>(text.size());
  ERR_clear_error();
  return done;
}

std::string Peer::read(std::size_t size) {
  std::string text(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    int const n = SSL_read(ssl_.get(), text.data() + filled, static_cast<int>(size - filled));
    if (n <= 0) break;
    filled += static_cast<std::size_t>(n);
  }
  ERR_clear_error();
  text.resize(filled);
  return text;
}

std::string Peer::read_to_end(bool& clean) {
  std::string text;
  char buffer[16384];
  int n = 0;
  while ((n = SSL_read(ssl_.get(), buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  clean = SSL_get_error(ssl_.get(), n) == SSL_ERROR_ZERO_RETURN;
  ERR_clear_error();
  return text;
}

void Peer::end_writing() {
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string Peer::alpn() const {
  unsigned char const* data = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &data, &size);
  return {reinterpret_cast<char const*>(data), size};
}

void Peer::reset() {
  linger const now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(std::exchange(fd_, -1));
}

Origin::Origin(Serve serve)
    : serve_(std::move(serve)),
      context_(SSL_CTX_new(TLS_server_method())),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own sockets write without MSG_NOSIGNAL
  SSL_CTX_set_alpn_select_cb(context_.get(), &choose_alpn, nullptr);
  change_certificate();
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 512) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { run(); });
}

Origin::~Origin() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    std::scoped_lock const lock(mutex_);
    for (int const fd : live_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& worker : workers_) worker.join();
  ::close(listener_);
}

void Origin::run() {
  while (true) {
    int const fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0 || stopping_) return;
    ++connections_;
    std::scoped_lock const lock(mutex_);
    live_.insert(fd);
    workers_.emplace_back([this, fd] {
      Peer peer(fd);
      serve(peer);
      std::scoped_lock const end_lock(mutex_);
      live_.erase(fd);
    });
  }
}

void Origin::serve(Peer& peer) {
  if (!peer.accept_tls(context_.get())) return;
  resumed_ += SSL_session_reused(peer.ssl());
  serve_(peer);
}

void Origin::forbid_resumption() {
  SSL_CTX_set_num_tickets(context_.get(), 0);
}

base::Bytes Origin::certificate() {
  std::scoped_lock const lock(mutex_);
  return certificate_;
}

void Origin::change_certificate() {
  PrivateKeyPtr const key = host::trust::make_p256_key();
  X509Ptr const certificate =
      host::trust::make_root(key.get(), "origin", {{0}, {4'000'000'000'000'000}});
  SSL_CTX_use_certificate(context_.get(), certificate.get());
  SSL_CTX_use_PrivateKey(context_.get(), key.get());
  std::scoped_lock const lock(mutex_);
  certificate_ = host::trust::encode_der(certificate.get());
}

}  // namespace dotkey::tests
