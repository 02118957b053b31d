// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/stream.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/assert.h"

namespace dotkey::host::proxy {

// OpenSSL's view of a stream: reads come from memory, writes always succeed.
struct StreamBio {
  static int read(BIO* bio, char* out, int size) {
    auto& stream = *static_cast<Stream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    std::span<char> const room(out, static_cast<std::size_t>(std::max(size, 0)));
    if (!stream.unread_.empty()) {
      base::ByteView const left = base::ByteView(stream.unread_).subspan(stream.unread_used_);
      std::size_t const n = std::min(room.size(), left.size());
      std::copy_n(left.data(), n, out);
      stream.unread_used_ += n;
      if (stream.unread_used_ == stream.unread_.size()) {
        stream.unread_ = {};
        stream.unread_used_ = 0;
      }
      return static_cast<int>(n);
    }
    std::size_t const n = std::min(room.size(), stream.window_.size());
    if (n > 0) {
      std::copy_n(stream.window_.data(), n, out);
      stream.window_ = stream.window_.subspan(n);
      return static_cast<int>(n);
    }
    if (stream.ended_ || stream.failed_) return 0;
    BIO_set_retry_read(bio);
    return -1;
  }

  static int write(BIO* bio, char const* data, int size) {
    BIO_clear_retry_flags(bio);
    if (size <= 0) return 0;
    static_cast<Stream*>(BIO_get_data(bio))
        ->send_or_keep(
            {reinterpret_cast<std::uint8_t const*>(data), static_cast<std::size_t>(size)});
    return size;
  }

  static long control(BIO* bio, int command, long, void*) {
    auto const& stream = *static_cast<Stream*>(BIO_get_data(bio));
    if (command == BIO_CTRL_EOF) return stream.ended_ || stream.failed_ ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static BIO_METHOD* method() {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
      DOTKEY_ASSERT(made != nullptr);
      BIO_meth_set_read(made, &StreamBio::read);
      BIO_meth_set_write(made, &StreamBio::write);
      BIO_meth_set_ctrl(made, &StreamBio::control);
      return made;
    }();
    return method;
  }
};

Stream::Stream(int fd, Scratch& scratch) : fd_(fd), scratch_(scratch) {}

Stream::~Stream() {
  // OpenSSL would mark the session as not resumable otherwise. Whether the end was said cleanly is
  // the application's concern; the session's secret is as good as before.
  if (ssl_ && SSL_is_init_finished(ssl_.get()) == 1) {
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
  ssl_.reset();
  ::close(fd_);
}

void Stream::note_events(std::uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & EPOLLOUT) != 0) flush();
}

std::size_t Stream::receive_plain(std::span<std::uint8_t> out) {
  ssize_t n = 0;
  do {
    n = ::recv(fd_, out.data(), out.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n < 0) {
    readable_ = false;
    failed_ = failed_ || (errno != EAGAIN && errno != EWOULDBLOCK);
    return 0;
  }
  if (n == 0 && !out.empty()) {
    ended_ = true;
    readable_ = false;
  }
  // A short read emptied the socket, and epoll tells when more comes. Not so for an end that epoll
  // has told already.
  if (static_cast<std::size_t>(n) < out.size() && !hung_up_) readable_ = false;
  return static_cast<std::size_t>(n);
}

void Stream::send_plain(base::ByteView bytes) {
  send_or_keep(bytes);
}

void Stream::start_tls(SslPtr ssl, base::Bytes received) {
  DOTKEY_ASSERT(!ssl_ && unread_.empty());
  ssl_ = std::move(ssl);
  unread_ = std::move(received);
  BIO* const bio = BIO_new(StreamBio::method());
  DOTKEY_ASSERT(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

HandshakeStatus Stream::shake_hands() {
  HandshakeStatus status = HandshakeStatus::wants_more;
  cork();
  while (true) {
    int const result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
      status = HandshakeStatus::done;
      break;
    }
    if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
      status = HandshakeStatus::failed;
      break;
    }
    if (!readable_) break;
    receive();
  }
  set_aside();
  bool const may_wait =
      status == HandshakeStatus::done && SSL_version(ssl_.get()) == TLS1_3_VERSION;
  may_wait ? hold_back() : uncork();
  ERR_clear_error();
  return failed_ ? HandshakeStatus::failed : status;
}

void Stream::receive() {
  window_ = base::ByteView(scratch_.input).first(receive_plain(scratch_.input));
}

void Stream::set_aside() {
  if (window_.empty()) return;
  base::append(unread_, window_);
  window_ = {};
}

void Stream::cork() {
  DOTKEY_ASSERT(scratch_.output_size == 0);
  corked_ = true;
}

void Stream::uncork() {
  corked_ = false;
  std::size_t const size = std::exchange(scratch_.output_size, 0);
  if (size > 0) send_or_keep(base::ByteView(scratch_.output).first(size));
}

void Stream::hold_back() {
  corked_ = false;
  std::size_t const size = std::exchange(scratch_.output_size, 0);
  base::append(held_, base::ByteView(scratch_.output).first(size));
}

void Stream::release() {
  send_or_keep({});
}

void Stream::send_or_keep(base::ByteView bytes) {
  if (failed_ || sending_ended_) return;
  if (!held_.empty()) send_or_keep(std::exchange(held_, {}));
  if (corked_) {
    if (bytes.size() <= scratch_.output.size() - scratch_.output_size) {
      std::copy(bytes.begin(), bytes.end(),
                scratch_.output.begin() + static_cast<std::ptrdiff_t>(scratch_.output_size));
      scratch_.output_size += bytes.size();
      return;
    }
    uncork();
    corked_ = true;
  }
  if (unsent_.empty()) bytes = bytes.subspan(send_some(bytes));
  if (!failed_ && !bytes.empty()) base::append(unsent_, bytes);
}

std::size_t Stream::send_some(base::ByteView bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    ssize_t const n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      failed_ = failed_ || (errno != EAGAIN && errno != EWOULDBLOCK);
      break;
    }
    sent += static_cast<std::size_t>(n);
  }
  return sent;
}

void Stream::flush() {
  if (unsent_.empty() || failed_) return;
  unsent_used_ += send_some(base::ByteView(unsent_).subspan(unsent_used_));
  if (unsent_used_ < unsent_.size()) return;
  unsent_ = {};
  unsent_used_ = 0;
  if (sending_ended_) ::shutdown(fd_, SHUT_WR);
}

void Stream::end_sending(bool notify) {
  if (sending_ended_) return;
  if (notify && ssl_) {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  sending_ended_ = true;
  if (unsent_.empty()) ::shutdown(fd_, SHUT_WR);
}

SpliceStatus Splice::run(Stream& source, Stream& sink, std::uint64_t& moved) {
  constexpr int rounds_max = 8;
  for (int round = 0; round < rounds_max; ++round) {
    if (sink.has_unsent()) return SpliceStatus::blocked;
    // What TLS still holds from the handshake comes without a further byte from the socket.
    if (source.readable_) source.receive();
    sink.cork();
    SpliceStatus const status = transfer(source, sink, moved);
    sink.uncork();
    source.set_aside();
    if (status != SpliceStatus::idle) return status;
    if (sink.has_failed()) return SpliceStatus::failed;
    if (!source.readable_) return SpliceStatus::idle;
  }
  return SpliceStatus::more;
}

SpliceStatus Splice::transfer(Stream& source, Stream& sink, std::uint64_t& moved) {
  auto& plain = source.scratch_.plain;
  while (true) {
    std::size_t filled = 0;
    int result = 1;
    while (filled < plain.size()) {
      result =
          SSL_read(source.ssl(), plain.data() + filled, static_cast<int>(plain.size() - filled));
      if (result <= 0) break;
      filled += static_cast<std::size_t>(result);
    }
    if (filled > 0) {
      moved += filled;
      if (SSL_write(sink.ssl(), plain.data(), static_cast<int>(filled)) <= 0) {
        ERR_clear_error();
        return SpliceStatus::failed;
      }
    }
    if (result > 0) continue;
    int const reason = SSL_get_error(source.ssl(), result);
    if (reason == SSL_ERROR_WANT_READ) return SpliceStatus::idle;
    ERR_clear_error();
    if (reason == SSL_ERROR_ZERO_RETURN) return SpliceStatus::ended;
    return source.has_ended() ? SpliceStatus::truncated : SpliceStatus::failed;
  }
}

}  // namespace dotkey::host::proxy
