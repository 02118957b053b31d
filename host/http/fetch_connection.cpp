// SPDX-License-Identifier: Apache-2.0
#include "host/http/fetch_connection.h"

#include <algorithm>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <openssl/ssl.h>

namespace dotkey::host::http {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds attempt_delay{250};  // RFC 8305 §5

asio::ip::tcp::endpoint endpoint_of(base::Endpoint const& endpoint) {
  base::ByteView const bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    asio::ip::address_v4::bytes_type v4{};
    std::copy(bytes.begin(), bytes.end(), v4.begin());
    return {asio::ip::address_v4(v4), endpoint.port};
  }
  asio::ip::address_v6::bytes_type v6{};
  std::copy(bytes.begin(), bytes.end(), v6.begin());
  return {asio::ip::address_v6(v6), endpoint.port};
}

// Families in turn, for a family without a way out must not cost a delay an address.
std::vector<base::Endpoint> in_turn(std::vector<base::Endpoint> const& addresses) {
  std::vector<base::Endpoint> families[2];
  for (auto const& address : addresses) {
    families[address.address.is_v4() ? 1 : 0].push_back(address);
  }
  std::vector<base::Endpoint> out;
  for (std::size_t i = 0; i < std::max(families[0].size(), families[1].size()); ++i) {
    for (auto const& family : families) {
      if (i < family.size()) out.push_back(family[i]);
    }
  }
  return out;
}

}  // namespace

FetchConnection::FetchConnection(asio::io_context& loop, asio::ssl::context& tls, Origin origin)
    : loop_(loop), tls_(tls), origin_(std::move(origin)), socket_(loop), stagger_(loop) {}

void FetchConnection::open(std::vector<base::Endpoint> const& addresses, OnOpened on_opened) {
  constexpr std::size_t addresses_max = 8;
  on_opened_ = std::move(on_opened);
  addresses_ = in_turn(addresses);
  if (addresses_.size() > addresses_max) addresses_.resize(addresses_max);
  std::reverse(addresses_.begin(), addresses_.end());
  try_next();
}

void FetchConnection::close() {
  on_opened_ = nullptr;
  boost::system::error_code ignored;
  socket_.close(ignored);
  attempts_.clear();
  addresses_.clear();
  stagger_.cancel();
}

void FetchConnection::try_next() {
  if (addresses_.empty()) {
    if (attempts_.empty()) finish(false);
    return;
  }
  base::Endpoint const address = addresses_.back();
  addresses_.pop_back();
  auto const attempt = attempts_.emplace(attempts_.end(), loop_);
  attempt->async_connect(endpoint_of(address),
                         [self = shared_from_this(), attempt](auto const& error) {
                           // Attempts that lost are gone from the list.
                           if (error != asio::error::operation_aborted) {
                             self->on_connected(attempt, error);
                           }
                         });
  if (addresses_.empty()) return;
  stagger_.expires_after(attempt_delay);
  stagger_.async_wait([self = shared_from_this()](auto const& error) {
    if (!error && !self->attempts_.empty()) self->try_next();
  });
}

void FetchConnection::on_connected(std::list<Socket>::iterator attempt,
                                   boost::system::error_code const& error) {
  if (!on_opened_ || attempts_.empty()) return;
  if (error) {
    attempts_.erase(attempt);
    stagger_.cancel();
    return try_next();
  }
  socket_ = std::move(*attempt);
  attempts_.clear();
  addresses_.clear();
  stagger_.cancel();
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  if (!origin_.tls) return finish(true);
  shake_hands();
}

void FetchConnection::shake_hands() {
  tls_stream_.emplace(socket_, tls_);
  boost::system::error_code error;
  // A literal address is verified as one, and is no name for SNI (RFC 6066 §3).
  bool const is_address = base::IpAddress::parse(origin_.host).has_value();
  if (!is_address &&
      SSL_set_tlsext_host_name(tls_stream_->native_handle(), origin_.host.c_str()) != 1) {
    return finish(false);
  }
  tls_stream_->set_verify_mode(asio::ssl::verify_peer, error);
  if (!error) {
    tls_stream_->set_verify_callback(asio::ssl::host_name_verification(origin_.host), error);
  }
  if (error) return finish(false);
  tls_stream_->async_handshake(
      asio::ssl::stream_base::client,
      [self = shared_from_this()](auto const& failed) { self->finish(!failed); });
}

void FetchConnection::finish(bool opened) {
  if (auto const on_opened = std::exchange(on_opened_, nullptr)) on_opened(opened);
}

}  // namespace dotkey::host::http
