// SPDX-License-Identifier: Apache-2.0
// One search for a verified connection: routes in order, for each connect and shake hands, then the
// gate's word about what the server showed.
#pragma once

#include "host/proxy/site_state.h"

namespace dotkey::host::proxy {

class Search final : public Acquisition,
                     private EventSet::Watcher,
                     public std::enable_shared_from_this<Search> {
 public:
  Search(Upstreams& owner, std::shared_ptr<SiteState> state, std::vector<std::string> alpn,
         std::optional<EvidenceHash> allowed, Upstreams::OnDone on_done);
  ~Search() override;

  void start();
  void cancel();
  [[nodiscard]] bool is_over() const { return !on_done_; }

 private:
  void on_resolved(base::Result<Resolution> resolution);
  void try_next_route();
  void on_connected(std::optional<Connector::Connected> connected);
  void begin_tls();
  void on_ready(std::uint32_t events) override;
  void shake_hands();
  void on_shown();
  void on_decided(Decision const& decision);
  void give_up_route(base::ErrorCode reason);
  void succeed();
  void refuse(std::string slug);
  void close();

  Upstreams& owner_;
  std::shared_ptr<SiteState> state_;
  std::vector<std::string> alpn_;
  std::optional<EvidenceHash> allowed_;
  Upstreams::OnDone on_done_;

  std::vector<Route> routes_;
  std::shared_ptr<Grounds> grounds_;  // of the routes; then of the verdict
  std::size_t next_route_ = 0;
  bool may_resume_ = true;
  Route route_;
  base::Endpoint endpoint_;
  std::unique_ptr<Connector> connector_;
  std::unique_ptr<Stream> stream_;
  boost::asio::steady_timer timer_;
  EvidenceHash hash_{};
  base::ErrorCode reason_ = base::ErrorCode::site_unreachable;  // the furthest that a route came
};

// A public address, or one of the local network where the user allowed that.
bool may_connect(Route const& route, base::IpAddress const& address);

// The chain as the server sent it, or as the resumed session remembers it.
std::vector<base::Bytes> chain_of(SSL const* ssl);
std::string alpn_of(SSL const* ssl);

}  // namespace dotkey::host::proxy
