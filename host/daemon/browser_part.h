// SPDX-License-Identifier: Apache-2.0
// The session of one browser's extension: it sees the evidence of every page and has its say.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include <boost/json/object.hpp>

#include "host/daemon/peer.h"
#include "host/page/pages.h"

namespace dotkey::host::daemon {

// Evidence shown and not answered yet, of one session.
inline constexpr std::size_t verdicts_waiting_max = 1024;

// The body of an evidence message.
boost::json::object describe_evidence(std::uint64_t request, page::ShownEvidence const& evidence);

class BrowserPart final : public PeerPart, private page::Witness {
 public:
  // `peer` owns this object. Errors: network_socket_failed.
  static base::Result<std::unique_ptr<BrowserPart>> open(Peer& peer, page::Pages& pages);

  [[nodiscard]] std::uint16_t proxy_port() const { return session_->port(); }
  // The body of a verdict message. One that does not fit is no verdict.
  void on_verdict(boost::json::object const& body);

 private:
  explicit BrowserPart(Peer& peer) : peer_(peer) {}

  void examine(page::ShownEvidence const& evidence, OnVerdict on_verdict) override;
  void on_refused(proxy::Site const& site, std::string_view slug) override;

  Peer& peer_;
  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, OnVerdict> waiting_;
  std::unique_ptr<page::PageSession> session_;  // last: goes first
};

}  // namespace dotkey::host::daemon
