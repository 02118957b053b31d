// SPDX-License-Identifier: Apache-2.0
#include "host/page/pages.h"

#include <utility>

#include "host/loop/clock.h"

namespace dotkey::host::page {
namespace {

using base::Result;

constexpr std::chrono::hours renewal_interval{24};

}  // namespace

PageSession::PageSession(Pages& pages, Witness* witness)
    : pages_(&pages), gate_(pages.parts_, witness) {
  pages.sessions_.insert(this);
}

PageSession::~PageSession() {
  close();
}

Result<void> PageSession::open(std::uint16_t port) {
  proxy::PortSettings settings;
  settings.listen = {base::IpAddress::v4({127, 0, 0, 1}), port};
  auto opened = pages_->proxy_.open_port(std::move(settings), gate_);
  if (!opened) return base::Failure(opened.error());
  port_ = std::move(*opened);
  return {};
}

void PageSession::close() {
  port_.reset();
  if (pages_ != nullptr) pages_->sessions_.erase(this);
  pages_ = nullptr;
}

void PageSession::on_learned(record::SignedPacket const& packet) {
  if (!port_) return;
  for (auto const& [site, still_holds] : gate_.sites_resting_on(packet)) {
    still_holds ? port_->forget(site) : port_->cut_off(site);
  }
}

void PageSession::decide_anew(proxy::Site const& site) {
  if (port_) port_->cut_off(site);
}

Result<std::unique_ptr<Pages>> Pages::open(GateParts const& parts, PagesSettings settings) {
  auto ca = trust::LocalCa::load_or_create(settings.state_dir, loop::unix_now());
  if (!ca) return base::Failure(ca.error());
  std::unique_ptr<Pages> pages(new Pages(parts, std::move(settings), std::move(*ca)));
  pages->general_.reset(new PageSession(*pages, nullptr));
  auto const opened = pages->general_->open(pages->settings_.general_port);
  if (!opened) return base::Failure(opened.error());
  pages->renew_daily();
  return pages;
}

Pages::Pages(GateParts const& parts, PagesSettings settings, trust::LocalCa ca)
    : settings_(std::move(settings)),
      parts_(parts),
      ca_(std::move(ca)),
      mint_(ca_),
      proxy_(parts_.loop, mint_),
      trust_(parts_.loop, settings_.program, settings_.state_dir),
      day_(parts_.loop) {
  parts_.driver.add_observer(*this);
}

Pages::~Pages() {
  parts_.driver.remove_observer(*this);
  auto const open = sessions_;
  for (PageSession* const session : open) session->close();
}

Result<std::unique_ptr<PageSession>> Pages::open_session(Witness& witness) {
  std::unique_ptr<PageSession> session(new PageSession(*this, &witness));
  if (auto opened = session->open(0); !opened) return base::Failure(opened.error());
  return session;
}

std::string Pages::ca_sha256() const {
  return trust::describe_root(ca_.signer().certificate.get()).fingerprint;
}

base::Result<ProbeSite const*> Pages::begin_probe() {
  end_probe();
  auto probe = ProbeSite::open(parts_.loop, parts_.entropy);
  if (!probe) return base::Failure(probe.error());
  probe_ = std::move(*probe);
  parts_.probe = probe_.get();
  for (PageSession* const session : sessions_) session->gate_.forget_probe();
  return probe_.get();
}

void Pages::end_probe() {
  parts_.probe = nullptr;
  probe_.reset();
}

void Pages::end_plain(crypto::PublicKey const& key) {
  for (PageSession* const session : sessions_) {
    if (session->port_) session->port_->end_plain(key);
  }
}

// Also what leads elsewhere: where a connection of a key goes is not worth telling apart here.
void Pages::end_local(crypto::PublicKey const& key) {
  for (PageSession* const session : sessions_) {
    if (session->port_) session->port_->cut_off(key);
  }
}

void Pages::refresh_trust(TrustRefresh::OnDone on_done) {
  trust_.start([this, on_done = std::move(on_done)](bool complete) {
    std::string const before = ca_sha256();
    // The installer renews an ended root, and replaces one that others may know.
    if (auto loaded = trust::LocalCa::load(settings_.state_dir)) ca_ = std::move(*loaded);
    // A browser may remember that it refused a leaf before.
    mint_.forget_leaves();
    // A successor signs once it is trusted everywhere; else the old root goes on for now.
    if (complete) static_cast<void>(ca_.adopt_successor());
    tell_ca(before);
    on_done(complete);
  });
}

void Pages::tell_ca(std::string const& before) {
  std::string const now = ca_sha256();
  if (now == before) return;
  for (PageSession* const session : sessions_) {
    if (Witness* const witness = session->gate_.witness()) witness->on_ca_changed(now);
  }
}

void Pages::on_learned(record::SignedPacket const& packet) {
  for (PageSession* const session : sessions_) session->on_learned(packet);
}

void Pages::renew_daily() {
  day_.expires_after(renewal_interval);
  day_.async_wait([this](boost::system::error_code const& error) {
    if (error) return;
    std::string const before = ca_sha256();
    auto const changed = ca_.renew_if_due(loop::unix_now());
    tell_ca(before);
    if (changed && *changed) refresh_trust([](bool) {});
    renew_daily();
  });
}

}  // namespace dotkey::host::page
