// SPDX-License-Identifier: Apache-2.0
// hello: the first request of a program that wants to know whom it talks to. A browser's extension
// says so with its version, and gets a proxy port of its own. verdict: what it says about a page.
#include "host/daemon/browser_part.h"
#include "host/daemon/operations.h"

namespace dotkey::host::daemon {
namespace {

void answer_browser(Services& services, Peer& peer, channel::Message const& request) {
  auto part = BrowserPart::open(peer, *services.pages);
  if (!part) return peer.fail(request, part.error());
  std::uint16_t const port = (*part)->proxy_port();
  peer.part = std::move(*part);
  peer.answer(request, {{"version", services.version},
                        {"proxy_port", port},
                        {"ca_sha256", services.pages->ca_sha256()}});
}

}  // namespace

void on_hello(Services& services, Peer& peer, channel::Message request) {
  if (!channel::text_at(request.body, "extension")) {
    return peer.answer(request,
                       {{"version", services.version}, {"network", describe(services.network)}});
  }
  if (services.pages == nullptr) {
    return peer.fail(
        request, services.pages_error.value_or(base::Error(base::ErrorCode::daemon_not_running)));
  }
  // The first page must not fail for a certificate that the browser is just being told to trust.
  services.pages->refresh_trust(
      [&services, weak = peer.weak_from_this(), request = std::move(request)](bool) {
        if (auto const browser = weak.lock()) answer_browser(services, *browser, request);
      });
}

void on_verdict(Services&, Peer& peer, channel::Message message) {
  auto* const browser = dynamic_cast<BrowserPart*>(peer.part.get());
  if (browser != nullptr) browser->on_verdict(message.body);
}

}  // namespace dotkey::host::daemon
