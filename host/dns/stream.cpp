// SPDX-License-Identifier: Apache-2.0
#include "host/dns/stream.h"

#include <cerrno>
#include <climits>
#include <utility>

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dotkey::host::dns {
namespace {

int clamp_size(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

StreamResult result_of_call(ssize_t done) {
  if (done > 0) return {StreamState::ready, static_cast<std::size_t>(done)};
  bool const again = done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  return {again ? StreamState::blocked : StreamState::closed, 0};
}

}  // namespace

Stream::Stream(Stream&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      tls_(std::move(other.tls_)),
      wants_write_(other.wants_write_) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  close();
  fd_ = std::exchange(other.fd_, -1);
  tls_ = std::move(other.tls_);
  wants_write_ = other.wants_write_;
  return *this;
}

Stream::~Stream() {
  close();
}

void Stream::close() {
  if (fd_ < 0) return;
  // One try at a close_notify; nobody waits for the other side's.
  if (tls_ && SSL_is_init_finished(tls_.get()) == 1) SSL_shutdown(tls_.get());
  ERR_clear_error();
  tls_.reset();
  ::close(std::exchange(fd_, -1));
}

StreamResult Stream::result_of(int done) {
  wants_write_ = false;
  if (done > 0) return {StreamState::ready, static_cast<std::size_t>(done)};
  int const error = SSL_get_error(tls_.get(), done);
  wants_write_ = error == SSL_ERROR_WANT_WRITE;
  bool const again = wants_write_ || error == SSL_ERROR_WANT_READ;
  ERR_clear_error();
  return {again ? StreamState::blocked : StreamState::closed, 0};
}

StreamResult Stream::read(std::span<std::uint8_t> out) {
  if (tls_) return result_of(SSL_read(tls_.get(), out.data(), clamp_size(out.size())));
  return result_of_call(::recv(fd_, out.data(), out.size(), 0));
}

StreamResult Stream::write(base::ByteView bytes) {
  if (tls_) return result_of(SSL_write(tls_.get(), bytes.data(), clamp_size(bytes.size())));
  return result_of_call(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

bool Stream::has_pending() const {
  return tls_ && SSL_has_pending(tls_.get()) == 1;
}

bool Stream::is_handshake_done() const {
  return !tls_ || SSL_is_init_finished(tls_.get()) == 1;
}

std::string_view Stream::protocol() const {
  unsigned char const* name = nullptr;
  unsigned int size = 0;
  if (tls_) SSL_get0_alpn_selected(tls_.get(), &name, &size);
  return base::text_of({name, size});
}

}  // namespace dotkey::host::dns
