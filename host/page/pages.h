// SPDX-License-Identifier: Apache-2.0
// Everything that opens pages: the local CA, the proxy, a port for each browser session and one for
// other programs.
#pragma once

#include <memory>
#include <set>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/result.h"

#include "host/page/page_gate.h"
#include "host/page/probe_site.h"
#include "host/page/trust_refresh.h"
#include "host/proxy/proxy.h"
#include "host/trust/leaf_mint.h"
#include "host/trust/local_ca.h"

namespace dotkey::host::page {

class Pages;

// A gate and its port. They go when this object does, and with them all that runs through the port.
class PageSession {
 public:
  ~PageSession();
  PageSession(PageSession const&) = delete;
  PageSession& operator=(PageSession const&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_ ? port_->endpoint().port : 0; }
  [[nodiscard]] proxy::PortCounters const* counters() const {
    return port_ ? &port_->counters() : nullptr;
  }
  [[nodiscard]] PageGate::ProbeTrace const& probe_trace() const { return gate_.probe_trace(); }
  // Forgets that this site was allowed and ends what runs to it: the next connection is decided
  // anew.
  void decide_anew(proxy::Site const& site);

 private:
  friend class Pages;
  PageSession(Pages& pages, Witness* witness);
  base::Result<void> open(std::uint16_t port);
  void close();
  void on_learned(record::SignedPacket const& packet);

  Pages* pages_;  // null once they are gone
  PageGate gate_;
  std::unique_ptr<proxy::Port> port_;
};

struct PagesSettings {
  std::string state_dir;
  std::string program;             // this one's path
  std::uint16_t general_port = 0;  // 0: the system chooses
};

class Pages final : private driver::ApiDriver::Observer {
 public:
  // `parts` name what outlives it. Errors: those of LocalCa::load_or_create,
  // network_socket_failed.
  static base::Result<std::unique_ptr<Pages>> open(GateParts const& parts, PagesSettings settings);
  ~Pages() override;  // closes every session that is left
  Pages(Pages const&) = delete;
  Pages& operator=(Pages const&) = delete;

  // A port for one browser; `witness` outlives the session. Errors: network_socket_failed.
  base::Result<std::unique_ptr<PageSession>> open_session(Witness& witness);
  // Serves every program of this user, by the daemon's own word alone.
  [[nodiscard]] PageSession const& general() const { return *general_; }
  [[nodiscard]] std::size_t session_count() const { return sessions_.size(); }
  // Of the root that signs.
  [[nodiscard]] std::string ca_sha256() const;
  // A site of our own, which every session finds while it lasts; a second one takes the place of
  // the first. Errors: those of ProbeSite::open.
  base::Result<ProbeSite const*> begin_probe();
  void end_probe();
  // The user took back that this key's pages may be opened over http.
  void end_plain(crypto::PublicKey const& key);
  // The user took back that this key's names may lead into the local network.
  void end_local(crypto::PublicKey const& key);
  // See TrustRefresh::start().
  void refresh_trust(TrustRefresh::OnDone on_done);

 private:
  friend class PageSession;

  Pages(GateParts const& parts, PagesSettings settings, trust::LocalCa ca);
  void on_learned(record::SignedPacket const& packet) override;
  void renew_daily();
  void tell_ca(std::string const& before);

  PagesSettings settings_;
  GateParts parts_;
  std::unique_ptr<ProbeSite> probe_;
  trust::LocalCa ca_;
  trust::LeafMint mint_;
  proxy::Proxy proxy_;
  TrustRefresh trust_;
  boost::asio::steady_timer day_;
  std::set<PageSession*> sessions_;
  std::unique_ptr<PageSession> general_;
};

}  // namespace dotkey::host::page
