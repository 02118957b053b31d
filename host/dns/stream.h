// SPDX-License-Identifier: Apache-2.0
// A connected TCP socket, with TLS on it or without. Nothing here blocks.
#pragma once

#include <span>
#include <string_view>

#include "core/base/bytes.h"

#include "host/dns/tls_server.h"

namespace dotkey::host::dns {

enum class StreamState : std::uint8_t { ready, blocked, closed };

struct StreamResult {
  StreamState state = StreamState::closed;
  std::size_t size = 0;  // for `ready`
};

class Stream {
 public:
  Stream() = default;
  // Owns the socket. Without a session it is plain TCP.
  Stream(int fd, TlsSession tls) : fd_(fd), tls_(std::move(tls)) {}
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();

  StreamResult read(std::span<std::uint8_t> out);
  StreamResult write(base::ByteView bytes);
  // Bytes that epoll knows nothing of.
  [[nodiscard]] bool has_pending() const;
  // TLS wants to write before it can read, as in a handshake.
  [[nodiscard]] bool wants_write() const { return wants_write_; }
  // The protocol chosen by ALPN, "" before the handshake has ended and without one.
  [[nodiscard]] std::string_view protocol() const;
  [[nodiscard]] bool is_handshake_done() const;
  [[nodiscard]] int fd() const { return fd_; }
  void close();

 private:
  StreamResult result_of(int done);

  int fd_ = -1;
  TlsSession tls_;
  bool wants_write_ = false;
};

}  // namespace dotkey::host::dns
