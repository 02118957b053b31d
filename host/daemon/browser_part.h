// SPDX-License-Identifier: Apache-2.0
// The session of one browser's extension: it sees the evidence of every page and has its say.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <boost/json/object.hpp>

#include "host/daemon/peer.h"
#include "host/page/pages.h"

namespace dotkey::host::daemon {

// Evidence shown and not answered yet, of one session.
inline constexpr std::size_t verdicts_waiting_max = 1024;

// The body of an evidence message.
boost::json::object describe_evidence(std::uint64_t request, page::ShownEvidence const& evidence);

// What an extension says of itself.
struct Extension {
  std::string version;
  std::string browser;  // "chromium", "firefox"; empty: it did not say
};

class BrowserPart final : public PeerPart, private page::Witness {
 public:
  // `peer` owns this object. Errors: network_socket_failed.
  static base::Result<std::unique_ptr<BrowserPart>> open(Peer& peer, page::Pages& pages,
                                                         Extension extension);

  [[nodiscard]] std::uint16_t proxy_port() const { return session_->port(); }
  // The body of a verdict message. One that does not fit is no verdict.
  void on_verdict(boost::json::object const& body);

  void decide_anew(proxy::Site const& site) { session_->decide_anew(site); }

  [[nodiscard]] Extension const& extension() const { return extension_; }
  [[nodiscard]] page::PageSession const& session() const { return *session_; }

  // Has the extension open an address of ours; it says what came of it at most once. A second one
  // takes the place of the first.
  using OnProbed = std::function<void(boost::json::object const&)>;
  void probe(std::string const& url, OnProbed on_probed);
  // The body of a probed message.
  void on_probed(boost::json::object const& body);

 private:
  BrowserPart(Peer& peer, Extension extension) : peer_(peer), extension_(std::move(extension)) {}

  void examine(page::ShownEvidence const& evidence, OnVerdict on_verdict) override;
  void on_refused(proxy::Site const& site, std::string_view slug, bool pinless) override;
  void on_ca_changed(std::string const& sha256) override;

  Peer& peer_;
  Extension extension_;
  std::uint64_t last_probe_ = 0;
  OnProbed on_probed_;
  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, OnVerdict> waiting_;
  std::unique_ptr<page::PageSession> session_;  // last: goes first
};

}  // namespace dotkey::host::daemon
