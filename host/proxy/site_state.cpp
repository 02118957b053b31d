// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/site_state.h"

#include <algorithm>
#include <utility>

#include "core/base/integers.h"
#include "core/crypto/hash.h"
#include "core/names/hostname.h"

namespace dotkey::host::proxy {

bool is_of(Site const& site, crypto::PublicKey const& key) {
  auto const host = names::parse_hostname(site.host);
  return host && host->key == key;
}

SiteState::AllowedChain const* SiteState::find_allowed(EvidenceHash const& hash,
                                                       Clock::time_point now) const {
  auto const found = std::find_if(allowed.begin(), allowed.end(), [&](AllowedChain const& chain) {
    return chain.hash == hash && now < chain.until;
  });
  return found == allowed.end() ? nullptr : &*found;
}

void SiteState::allow(AllowedChain chain, Clock::time_point now) {
  std::erase_if(allowed, [&](AllowedChain const& known) {
    return known.hash == chain.hash || known.until <= now;
  });
  if (allowed.size() == allowed_chains_max) allowed.erase(allowed.begin());
  allowed.push_back(std::move(chain));
}

void SiteState::keep_session(SSL_SESSION* session, Route const& route) {
  SslSessionPtr owned(session);
  if (forgotten || SSL_SESSION_is_resumable(session) != 1) return;
  if (sessions.size() == sessions_per_site_max) sessions.pop_front();
  sessions.push_back({std::move(owned), route.host, route.port});
}

SslSessionPtr SiteState::take_session(Route const& route) {
  auto const found = std::find_if(sessions.rbegin(), sessions.rend(), [&](Session const& s) {
    return s.host == route.host && s.port == route.port;
  });
  if (found == sessions.rend()) return nullptr;
  SslSessionPtr session = std::move(found->session);
  sessions.erase(std::next(found).base());
  return session;
}

void SiteState::forget() {
  forgotten = true;
  allowed.clear();
  sessions.clear();
  routes_until = {};
  grounds.reset();
}

EvidenceHash hash_evidence(Route const& route, std::vector<base::Bytes> const& chain) {
  base::Bytes text;
  base::append_be(text, static_cast<std::uint32_t>(route.host.size()));
  base::append(text, route.host);
  base::append_be(text, route.port);
  for (base::Bytes const& certificate : chain) {
    base::append_be(text, static_cast<std::uint32_t>(certificate.size()));
    base::append(text, certificate);
  }
  return crypto::sha256({text});
}

}  // namespace dotkey::host::proxy
