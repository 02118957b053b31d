// SPDX-License-Identifier: Apache-2.0
// What the proxy asks of the rest of the program: where a host leads, and whether the server found
// there may be shown. The proxy itself decides nothing about keys, packets and pins.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/endpoint.h"
#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace dotkey::host::proxy {

// What the browser asked for: a `.key` host in lower case without a trailing dot.
struct Site {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(Site const&, Site const&) = default;
};

// Is it a page of this key?
bool is_of(Site const& site, crypto::PublicKey const& key);

// One endpoint of a site, as its packet names it.
struct Route {
  std::string host;  // for SNI: the `.key` host, or the ICANN host that the packet led to
  std::uint16_t port = 0;
  std::vector<base::IpAddress> addresses;
  bool local_network_allowed = false;  // the user let this key reach loopback and private addresses
};

// What a gate rests a resolution and its verdicts on. Whatever lives by them keeps it, so that the
// gate knows how far a later word has to reach.
struct Grounds {
  Grounds() = default;
  virtual ~Grounds() = default;
  Grounds(Grounds const&) = delete;
  Grounds& operator=(Grounds const&) = delete;
};

// Routes in the order to try them, and how long they may be used without asking again.
struct Resolution {
  std::vector<Route> routes;
  std::chrono::seconds valid_for{0};
  std::shared_ptr<Grounds> grounds{};
};

// What the server showed. Its TLS handshake has ended: it has the private key of chain[0].
struct Evidence {
  Site site;
  Route route;
  base::Endpoint endpoint;             // the one that answered
  std::vector<base::Bytes> chain;      // DER, the server's own certificate first
  std::string alpn;                    // empty: none negotiated
  std::shared_ptr<Grounds> grounds{};  // of the resolution that led here
};

struct Allow {
  // So long the same chain at the same route is allowed again without asking.
  std::chrono::seconds valid_for{0};
};
struct Deny {
  std::string slug;  // "pin.mismatch"
};
// There is no third answer, and silence is never Allow: it times out as a refusal.
using Decision = std::variant<Deny, Allow>;

// Callbacks run on the proxy's loop, at once or later; at most once. A callback that comes after
// the tunnel ended does nothing.
class Gate {
 public:
  virtual ~Gate() = default;

  // A port beyond 80, 443 and 8443 that no packet names: proxy_port_refused.
  using OnResolved = std::function<void(base::Result<Resolution>)>;
  virtual void resolve(Site const& site, OnResolved on_resolved) = 0;

  // The same for a page over plain http, which nobody verifies: only where the user said so for the
  // key, and the key publishes no pin. proxy_tls_expected: never, as far as this gate knows.
  virtual void resolve_plain(Site const& /*site*/, OnResolved on_resolved) {
    on_resolved(base::fail(base::ErrorCode::proxy_tls_expected));
  }

  using OnDecided = std::function<void(Decision)>;
  virtual void decide(Evidence evidence, OnDecided on_decided) = 0;

  // A page did not load, for the blocked page: browsers do not show what a proxy answers.
  virtual void on_refused(Site const& site, std::string_view slug) = 0;
};

}  // namespace dotkey::host::proxy
