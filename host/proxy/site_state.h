// SPDX-License-Identifier: Apache-2.0
// What the proxy remembers of one site between connections.
#pragma once

#include <deque>
#include <vector>

#include "host/proxy/upstreams.h"

namespace dotkey::host::proxy {

struct SiteState {
  explicit SiteState(Site site_) : site(std::move(site_)) {}

  struct AllowedChain {
    EvidenceHash hash;  // over the route and the chain
    Clock::time_point until;
    std::shared_ptr<Grounds> grounds;
  };
  struct Session {
    SslSessionPtr session;
    std::string host;  // of the route that gave it
    std::uint16_t port = 0;
  };

  Site site;
  std::vector<Route> routes;
  Clock::time_point routes_until{};
  std::shared_ptr<Grounds> grounds;  // of the routes
  std::vector<AllowedChain> allowed;
  // Only from connections that the gate allowed. OpenSSL keeps the chain that the server showed in
  // the session, so that a resumed connection shows the same evidence again. Each is used once (RFC
  // 8446 §C.4).
  std::deque<Session> sessions;
  bool forgotten = false;

  // nullptr: not, or no more.
  [[nodiscard]] AllowedChain const* find_allowed(EvidenceHash const& hash,
                                                 Clock::time_point now) const;
  void allow(AllowedChain chain, Clock::time_point now);
  void keep_session(SSL_SESSION* session, Route const& route);
  SslSessionPtr take_session(Route const& route);
  void forget();
};

EvidenceHash hash_evidence(Route const& route, std::vector<base::Bytes> const& chain);

}  // namespace dotkey::host::proxy
