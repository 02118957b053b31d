// SPDX-License-Identifier: Apache-2.0
#include "host/tls/certificate_fetch.h"

#include <optional>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <openssl/x509.h>

#include "core/names/hostname.h"
#include "core/names/public_key.h"

namespace dotkey::host::tls {
namespace {

using base::ErrorCode;
using boost::asio::ip::tcp;
using loop::Foreground;

base::Result<void> run(Foreground& foreground, std::function<bool()> const& done,
                       engine::Instant deadline) {
  switch (foreground.run_until(done, deadline)) {
    case Foreground::End::done:
      return {};
    case Foreground::End::timed_out:
      return base::fail(ErrorCode::network_timeout);
    case Foreground::End::interrupted:
      break;
  }
  return base::fail(ErrorCode::cancelled);
}

std::string text_of_host_port(loop::HostPort const& server) {
  bool const v6 = server.host.find(':') != std::string::npos;
  return (v6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
}

base::Result<std::vector<tcp::endpoint>> look_up(Foreground& foreground,
                                                 loop::HostPort const& server,
                                                 engine::Instant deadline) {
  loop::NameLookup lookup(foreground.loop());
  loop::NameLookup::Outcomes outcomes;
  lookup.start({text_of_host_port(server)},
               [&](loop::NameLookup::Outcomes found) { outcomes = std::move(found); });
  auto const ran = run(foreground, [&] { return !outcomes.empty(); }, deadline);
  if (!ran) return tl::make_unexpected(ran.error());
  if (!outcomes[0]) return tl::make_unexpected(outcomes[0].error());
  std::vector<tcp::endpoint> out;
  for (base::Endpoint const& endpoint : *outcomes[0]) {
    out.emplace_back(boost::asio::ip::make_address(endpoint.address.to_string()), endpoint.port);
  }
  return out;
}

constexpr char key_host_detail[] =
    "the DNS is not asked for keys; give the server's DNS name or its address";

// Names below `.key` and bare keys: whoever runs the resolver is not told of them.
bool leads_to_key(std::string_view host) {
  return names::classify(host) != names::Ownership::not_ours ||
         names::parse_public_key(host).has_value();
}

// Waits for one asynchronous step; on a deadline or an interruption the step is cut off, and its
// completion runs before the variables it writes to go away.
base::Result<void> finish(Foreground& foreground, std::optional<boost::system::error_code>& result,
                          tcp::socket& socket, ErrorCode code, engine::Instant deadline) {
  auto ran = run(foreground, [&] { return result.has_value(); }, deadline);
  if (!ran) {
    boost::system::error_code ignored;
    socket.close(ignored);
    while (!result) foreground.loop().run_one();
    return ran;
  }
  if (*result) return base::fail(code, result->message());
  return {};
}

}  // namespace

base::Result<base::Bytes> fetch_certificate(Foreground& foreground, loop::HostPort const& server,
                                            engine::Instant deadline) {
  if (leads_to_key(server.host)) {
    return base::fail(ErrorCode::network_name_unresolved, key_host_detail);
  }
  auto const addresses = look_up(foreground, server, deadline);
  if (!addresses) return tl::make_unexpected(addresses.error());

  boost::asio::ssl::context context(boost::asio::ssl::context::tls_client);
  boost::asio::ssl::stream<tcp::socket> stream(foreground.loop(), context);
  stream.set_verify_mode(boost::asio::ssl::verify_none);
  if (!base::IpAddress::parse(server.host)) {
    SSL_set_tlsext_host_name(stream.native_handle(), server.host.c_str());
  }
  std::optional<boost::system::error_code> result;
  boost::asio::async_connect(
      stream.next_layer(), *addresses,
      [&](boost::system::error_code const& error, tcp::endpoint const&) { result = error; });
  auto step = finish(foreground, result, stream.next_layer(), ErrorCode::network_connection_failed,
                     deadline);
  if (!step) return tl::make_unexpected(step.error());

  result.reset();
  stream.async_handshake(boost::asio::ssl::stream_base::client,
                         [&](boost::system::error_code const& error) { result = error; });
  step = finish(foreground, result, stream.next_layer(), ErrorCode::tls_failed, deadline);
  if (!step) return tl::make_unexpected(step.error());

  X509* const certificate = SSL_get0_peer_certificate(stream.native_handle());
  int const size = certificate == nullptr ? 0 : i2d_X509(certificate, nullptr);
  if (size <= 0) return base::fail(ErrorCode::tls_failed, "the server sent no certificate");
  base::Bytes out(static_cast<std::size_t>(size));
  unsigned char* next = out.data();
  i2d_X509(certificate, &next);
  return out;
}

}  // namespace dotkey::host::tls
