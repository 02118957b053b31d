// SPDX-License-Identifier: Apache-2.0
// Blocking TLS over loopback for tests: an origin with a thread a connection, and a client that
// goes through the proxy.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "host/proxy/stream.h"

namespace dotkey::tests {

using host::proxy::SslContextPtr;
using host::proxy::SslPtr;

// A connected socket, maybe with TLS on it; closes itself. Reads give up after ten seconds.
class Peer {
 public:
  explicit Peer(int fd);
  ~Peer();
  Peer(Peer&& other) noexcept;
  Peer& operator=(Peer&&) = delete;

  static Peer connect(std::uint16_t port);

  void send(std::string_view text) const;  // without TLS
  // Up to the end of an HTTP head, or what there was when the other side closed.
  std::string receive_head();
  [[nodiscard]] bool has_input() const;  // now, without waiting

  // `alpn` in wire form. False when the handshake fails.
  bool start_tls(SSL_CTX* context, std::string const& host, std::string_view alpn = {});
  bool accept_tls(SSL_CTX* context);
  bool write(std::string_view text);
  std::string read(std::size_t size);    // exactly, or less at the end
  std::string read_to_end(bool& clean);  // clean: the end was announced by close_notify
  void end_writing();                    // close_notify, still reading
  [[nodiscard]] std::string alpn() const;
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] int fd() const { return fd_; }
  void reset();  // close with RST

 private:
  int fd_;
  SslPtr ssl_;
};

// A TLS server on 127.0.0.1 with a self-signed certificate.
class Origin {
 public:
  using Serve = std::function<void(Peer&)>;
  explicit Origin(Serve serve);
  ~Origin();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // Of the certificate shown now.
  base::Bytes certificate();
  void change_certificate();
  void forbid_resumption();
  [[nodiscard]] int resumed_count() const { return resumed_; }
  [[nodiscard]] int connection_count() const { return connections_; }

 private:
  void run();
  void serve(Peer& peer);

  Serve serve_;
  SslContextPtr context_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> resumed_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  base::Bytes certificate_;
  std::set<int> live_;  // sockets of the workers
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace dotkey::tests
