// SPDX-License-Identifier: Apache-2.0
// The proxy's gate: sites are resolved by the core, and a page opens when the daemon's own look at
// the evidence and the witness's both allow it.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "core/engine/entropy.h"
#include "core/evidence/evidence.h"
#include "core/resolve/endpoints.h"

#include "host/driver/api_driver.h"
#include "host/page/host_lookups.h"
#include "host/page/witness.h"
#include "host/proxy/gate.h"
#include "host/store/allowed_keys.h"

namespace dotkey::host::page {

// How long what was found may be used again; the packet's own time to live within this.
inline constexpr std::uint32_t valid_for_min_s = 30;
inline constexpr std::uint32_t valid_for_max_s = 300;
// Certificate chains that are remembered of one finding. Beyond them a new packet ends all that
// rests on it, since it cannot be told what would still hold.
inline constexpr std::size_t allowed_chains_kept_max = 8;
// Looks at what was allowed before, for one new packet. What is left then ends without a look.
inline constexpr std::size_t looks_a_packet_max = 64;

class ProbeSite;

// What all gates share; outlives them.
struct GateParts {
  boost::asio::io_context& loop;
  driver::ApiDriver& driver;
  engine::Entropy& entropy;
  store::AllowedKeys const& local_keys;
  store::AllowedKeys const& http_keys;
  ProbeSite const* probe = nullptr;  // while one is tried
};

class PageGate final : public proxy::Gate {
 public:
  // `witness` outlives the gate; null: the daemon decides alone.
  PageGate(GateParts& parts, Witness* witness);
  ~PageGate() override;
  PageGate(PageGate const&) = delete;
  PageGate& operator=(PageGate const&) = delete;

  void resolve(proxy::Site const& site, OnResolved on_resolved) override;
  void resolve_plain(proxy::Site const& site, OnResolved on_resolved) override;
  void decide(proxy::Evidence evidence, OnDecided on_decided) override;
  void on_refused(proxy::Site const& site, std::string_view slug) override;

  // How far a browser came with the probe site.
  struct ProbeTrace {
    bool asked = false;    // for a way to it
    bool allowed = false;  // by the daemon and the witness
    std::string refused;   // slug
  };
  [[nodiscard]] ProbeTrace const& probe_trace() const { return probe_trace_; }
  void forget_probe() { probe_trace_ = {}; }
  [[nodiscard]] Witness* witness() const { return witness_; }

  // Sites for which another packet of this key was used, and whether all that was allowed there
  // would be allowed by this packet too.
  struct Resting {
    proxy::Site site;
    bool still_holds = true;
  };
  [[nodiscard]] std::vector<Resting> sites_resting_on(record::SignedPacket const& packet) const;

 private:
  // What a server showed, and was allowed to.
  struct Allowed {
    std::string route_host;
    std::uint16_t route_port = 0;
    std::vector<base::Bytes> chain;
  };
  using Packets = std::map<crypto::PublicKey, record::SignedPacket>;
  // Where a site leads, and the packets that say so. It lives for as long as the proxy uses it:
  // as the site's routes, a verdict that holds, or a connection.
  struct Found final : proxy::Grounds {
    explicit Found(proxy::Site site_) : site(std::move(site_)) {}
    proxy::Site site;
    std::vector<resolve::Endpoint> endpoints;
    Packets packets;
    resolve::Source source = resolve::Source::cache;
    engine::UnixTime last_seen;
    bool local_network_allowed = false;
    std::vector<Allowed> allowed;
    bool has_more_allowed = false;  // than is kept
  };

  void on_searched(proxy::Site const& site, resolve::EndpointSearch const& search, bool local,
                   OnResolved const& on_resolved);
  void resolve_probe(proxy::Site const& site, OnResolved const& on_resolved);
  void on_searched_plain(proxy::Site const& site, resolve::EndpointSearch const& search, bool local,
                         OnResolved const& on_resolved);
  [[nodiscard]] bool is_probe(proxy::Site const& site) const;
  void note_probe(proxy::Site const& site, bool allowed);
  void look_up_hosts(std::shared_ptr<Found> const& found, OnResolved const& on_resolved);
  void remember(std::shared_ptr<Found> const& found);
  // The latest of the site.
  [[nodiscard]] std::shared_ptr<Found const> find(proxy::Site const& site) const;
  static void remember_allowed(Found& found, Allowed allowed);
  static base::Result<evidence::Finding> look_at(proxy::Site const& site, Allowed const& shown,
                                                 Packets const& packets);
  static proxy::Decision judge(proxy::Site const& site, Allowed const& shown,
                               Packets const& packets);
  // What the site was found by may have been replaced since: puts the newest packets that are known
  // in their places. False: nothing newer is known.
  bool take_newest(Packets& packets) const;
  void conclude(Found& found, Allowed shown, proxy::Decision const& decision,
                OnDecided const& on_decided);
  static ShownEvidence describe(Found const& found, Packets const& packets, Allowed const& shown,
                                base::IpAddress const& address);

  GateParts& parts_;
  Witness* witness_;
  ProbeTrace probe_trace_;
  std::list<std::weak_ptr<Found>> found_;  // the latest first
  HostLookups lookups_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace dotkey::host::page
