// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/certificate_looks.h"

#include <utility>

#include <boost/asio/post.hpp>

#include "core/base/text.h"

#include "host/daemon/operations.h"
#include "host/daemon/request_fields.h"
#include "host/loop/clock.h"
#include "host/loop/foreground.h"
#include "host/tls/certificate_fetch.h"

namespace dotkey::host::daemon {

using base::Result;

namespace {

constexpr auto fetch_time = engine::Duration::from_ms(8'000);
constexpr std::size_t host_size_max = 253;

}  // namespace

CertificateLooks::~CertificateLooks() {
  *alive_ = false;
  thread_.join();
}

void CertificateLooks::fetch(loop::HostPort const& server, OnCertificate on_certificate) {
  if (waiting_ >= waiting_max) {
    return on_certificate(base::fail(base::ErrorCode::session_busy));
  }
  ++waiting_;
  boost::asio::post(thread_, [this, alive = alive_, server,
                              on_certificate = std::move(on_certificate)]() mutable {
    loop::Foreground foreground;
    auto der = tls::fetch_certificate(foreground, server, loop::now() + fetch_time);
    boost::asio::post(loop_, [this, alive, der = std::move(der),
                              on_certificate = std::move(on_certificate)]() mutable {
      if (!*alive) return;
      --waiting_;
      on_certificate(std::move(der));
    });
  });
}

void on_certificate(Services& services, Peer& peer, channel::Message request) {
  auto const host = channel::text_at(request.body, "host");
  if (!host || host->empty() || host->size() > host_size_max) {
    return peer.fail(request, malformed("host").value());
  }
  auto const port = read_port(request.body);
  if (!port) return peer.fail(request, port.error());
  services.certificate_looks.fetch(
      {std::string(*host), *port},
      [weak = peer.weak_from_this(), request](Result<base::Bytes> const& der) {
        auto const asker = weak.lock();
        if (!asker) return;
        if (!der) return asker->fail(request, der.error());
        asker->answer(request,
                      {{"certificate", base::encode_base64(*der, base::Base64Alphabet::standard)}});
      });
}

}  // namespace dotkey::host::daemon
