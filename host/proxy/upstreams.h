// SPDX-License-Identifier: Apache-2.0
// Verified TLS connections to sites. Nothing leaves here that the gate did not allow; what it
// allowed is remembered for as long as it said, so that the next connection is cheap.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "core/base/result.h"

#include "host/proxy/connector.h"
#include "host/proxy/gate.h"
#include "host/proxy/stream.h"

namespace dotkey::host::proxy {

using Clock = std::chrono::steady_clock;

inline constexpr std::size_t sites_max = 256;
inline constexpr std::size_t idle_upstreams_per_site_max = 4;
inline constexpr std::chrono::seconds idle_upstream_lifetime{15};
// As many as connections to one site are opened at a time: each needs a session of its own.
inline constexpr std::size_t sessions_per_site_max = 32;
inline constexpr std::size_t allowed_chains_max = 8;
inline constexpr std::size_t routes_max = 8;
// For one route: connecting and the TLS handshake together. Then the next route has its turn.
inline constexpr std::chrono::seconds route_timeout{10};

struct SiteState;
using EvidenceHash = std::array<std::uint8_t, 32>;

// A connection to a site that the gate has allowed.
struct Upstream {
  std::unique_ptr<Stream> stream;
  std::shared_ptr<SiteState> state;
  std::vector<std::string> offered;  // ALPN, as the handshake offered it
  std::string alpn;                  // what the server chose; empty: nothing
  EvidenceHash evidence{};           // what the gate allowed
  std::shared_ptr<Grounds> grounds;  // and by what
};

// A refusal with the slug that the user interface explains.
struct Refusal {
  std::string slug;
};

// One search for an upstream. Destroying it gives the search up.
class Acquisition {
 public:
  virtual ~Acquisition() = default;
};

class Upstreams {
 public:
  // All outlive this object.
  Upstreams(boost::asio::io_context& loop, EventSet& events, Scratch& scratch, SSL_CTX* context,
            Gate& gate);
  ~Upstreams();
  Upstreams(Upstreams const&) = delete;
  Upstreams& operator=(Upstreams const&) = delete;

  // Every connection of the last moments to this site was allowed, and another will very likely be.
  // It is checked all the same; this only says that waiting for it first gains nothing.
  [[nodiscard]] bool is_warm(Site const& site) const;

  // Finds an idle connection or makes one: resolve, connect, shake hands offering `alpn`, ask the
  // gate. `on_done` runs once, perhaps before this returns (then the result is null), unless the
  // acquisition is destroyed first. The stream in the result is not watched by anyone. `allowed`:
  // the evidence that the gate allowed already for the same connection of the browser.
  using OnDone = std::function<void(tl::expected<Upstream, Refusal>)>;
  std::unique_ptr<Acquisition> acquire(Site const& site, std::vector<std::string> alpn,
                                       std::optional<EvidenceHash> allowed, OnDone on_done);

  // Gives back a connection over which no application byte has passed.
  void park(Upstream upstream);

  // Forgets what was allowed, and the connections that rest on it: the site's packet changed.
  void forget(Site const& site);
  // The same for all sites of a key.
  void forget(crypto::PublicKey const& key);

  // Call about once a second.
  void on_tick();

  // An SSL_CTX for use with this class: no verification by OpenSSL, since the gate does it.
  static SslContextPtr make_context();

 private:
  friend class Search;
  struct Idle;

  std::shared_ptr<SiteState> state_of(Site const& site);
  std::optional<Upstream> take_idle(SiteState& state, std::vector<std::string> const& alpn);

  boost::asio::io_context& loop_;
  EventSet& events_;
  Scratch& scratch_;
  SSL_CTX* context_;
  Gate& gate_;
  std::list<std::shared_ptr<SiteState>> sites_;  // most recently used first
  std::unordered_map<std::string, std::list<std::shared_ptr<SiteState>>::iterator> by_name_;
  std::list<Idle> idle_;  // oldest first
};

// Would a server that chose `chosen` from `offered` have chosen it for a client that offers
// `wanted` too? Only then does a connection made ahead suit that client.
bool suits(std::vector<std::string> const& offered, std::string const& chosen,
           std::vector<std::string> const& wanted);

}  // namespace dotkey::host::proxy
