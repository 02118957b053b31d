// SPDX-License-Identifier: Apache-2.0
// hello: the first request of a program that wants to know whom it talks to. A browser's extension
// says so with its version, and gets a proxy port of its own. verdict: what it says about a page.
// recheck: it wants to be shown the evidence of a site again.
#include "host/daemon/browser_part.h"
#include "host/daemon/operations.h"
#include "host/daemon/request_fields.h"

namespace dotkey::host::daemon {
namespace {

constexpr std::size_t word_size_max = 32;

std::string word_at(boost::json::object const& body, std::string_view name) {
  return std::string(channel::text_at(body, name).value_or("").substr(0, word_size_max));
}

void answer_browser(Services& services, Peer& peer, channel::Message const& request) {
  auto part =
      BrowserPart::open(peer, *services.pages,
                        {word_at(request.body, "extension"), word_at(request.body, "browser")});
  if (!part) return peer.fail(request, part.error());
  std::uint16_t const port = (*part)->proxy_port();
  peer.part = std::move(*part);
  peer.answer(request, {{"version", services.version},
                        {"proxy_port", port},
                        {"ca_sha256", services.pages->ca_sha256()},
                        {"http_keys", describe_keys(services.http_keys)}});
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

void on_recheck(Services&, Peer& peer, channel::Message request) {
  auto* const browser = dynamic_cast<BrowserPart*>(peer.part.get());
  if (browser == nullptr) {
    return peer.fail(request, base::Error(base::ErrorCode::session_op_unknown, request.op));
  }
  auto const host = channel::text_at(request.body, "host");
  if (!host) return peer.fail(request, malformed("host").value());
  auto const port = read_port(request.body);
  if (!port) return peer.fail(request, port.error());
  browser->decide_anew({std::string(*host), *port});
  peer.answer(request, {});
}

}  // namespace dotkey::host::daemon
