// SPDX-License-Identifier: Apache-2.0
// One TCP connection with TLS on it, driven by readiness. Whole buffers of the kernel pass through
// a scratch area that all connections share, so an idle connection owns no buffer at all.
#pragma once

#include <array>
#include <cstdint>

#include <openssl/ssl.h>

#include "core/base/bytes.h"

#include "host/trust/openssl_handles.h"

namespace dotkey::host::proxy {

using SslPtr = std::unique_ptr<SSL, trust::FreeWith<&SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, trust::FreeWith<&SSL_CTX_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, trust::FreeWith<&SSL_SESSION_free>>;

// One for a whole event loop: it is in use only while one stream works.
struct Scratch {
  std::array<std::uint8_t, 128 * 1024> input;
  std::array<std::uint8_t, 16 * 1024> plain;  // one TLS record
  std::array<std::uint8_t, 160 * 1024> output;
  std::size_t output_size = 0;
};

enum class HandshakeStatus : std::uint8_t { wants_more, done, failed };

class Stream {
 public:
  // Takes ownership of a connected, non-blocking socket.
  Stream(int fd, Scratch& scratch);
  ~Stream();
  Stream(Stream const&) = delete;
  Stream& operator=(Stream const&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

  // Remembers what epoll said. Sends what is left over when there is room.
  void note_events(std::uint32_t events);

  // Without TLS: up to out.size() bytes. 0: nothing now, or see has_ended() and has_failed().
  std::size_t receive_plain(std::span<std::uint8_t> out);
  void send_plain(base::ByteView bytes);

  // TLS from here on. `received` are bytes of it that were read already.
  void start_tls(SslPtr ssl, base::Bytes received);
  // What TLS 1.3 has to say after the peer's last word (a client's Finished, a server's session
  // ticket) is held back, so that it leaves together with the first data.
  HandshakeStatus shake_hands();
  // Sends what was held back: no data will come for now.
  void release();

  // True while sent bytes wait for the peer to read: then stop feeding it.
  [[nodiscard]] bool has_unsent() const { return !unsent_.empty(); }
  [[nodiscard]] bool may_have_input() const { return readable_ || !unread_.empty(); }
  [[nodiscard]] bool has_ended() const { return ended_; }    // the peer's FIN was read
  [[nodiscard]] bool has_failed() const { return failed_; }  // reset, or could not be written to
  // Seen before everything was read: the peer closed its side or the connection broke.
  [[nodiscard]] bool is_hung_up() const { return hung_up_; }

  // No more bytes to the peer after those sent so far. `notify`: say so in TLS as well, so that the
  // peer can tell the end from a cut.
  void end_sending(bool notify);
  [[nodiscard]] bool is_sending_ended() const { return sending_ended_; }

 private:
  friend class Splice;
  friend struct StreamBio;

  void receive();    // one read of the socket into the scratch input
  void set_aside();  // what TLS did not consume yet leaves the scratch area
  void cork();       // TLS output gathers in the scratch area ...
  void uncork();     // ... and leaves in one system call
  void hold_back();  // ... or with what is sent next
  void send_or_keep(base::ByteView bytes);
  std::size_t send_some(base::ByteView bytes);
  void flush();

  int fd_;
  Scratch& scratch_;
  SslPtr ssl_;
  base::ByteView window_;  // unconsumed part of scratch_.input, while this stream works
  base::Bytes unread_;     // received, not consumed by TLS; comes before window_
  std::size_t unread_used_ = 0;
  base::Bytes held_;  // comes before whatever is sent next
  base::Bytes unsent_;
  std::size_t unsent_used_ = 0;
  bool readable_ = true;
  bool ended_ = false;
  bool failed_ = false;
  bool hung_up_ = false;
  bool corked_ = false;
  bool sending_ended_ = false;
};

enum class SpliceStatus : std::uint8_t {
  idle,       // everything there was has moved
  blocked,    // the sink is full
  more,       // stopped for the others' sake: call again soon
  ended,      // the source said that it ends
  truncated,  // the source ended without saying so
  failed,
};

// Moves decrypted bytes from one TLS stream to another.
class Splice {
 public:
  // `moved` grows by the number of bytes moved.
  static SpliceStatus run(Stream& source, Stream& sink, std::uint64_t& moved);

 private:
  static SpliceStatus transfer(Stream& source, Stream& sink, std::uint64_t& moved);
};

}  // namespace dotkey::host::proxy
