// SPDX-License-Identifier: Apache-2.0
// endpoints: a host name → where to connect, and how that was found.
#include "core/names/hostname.h"

#include "host/daemon/operations.h"
#include "host/daemon/request_fields.h"
#include "host/json/endpoints.h"

namespace dotkey::host::daemon {

namespace {

base::Result<resolve::EndpointQuery> read_query(Services const& services,
                                                boost::json::object const& body) {
  resolve::EndpointQuery out;
  auto const host = channel::text_at(body, "host");
  if (!host) return malformed("host");
  auto const parsed = names::parse_hostname(*host);
  if (!parsed) return tl::make_unexpected(parsed.error());
  out.host = *parsed;
  if (body.contains("port")) {
    auto const port = read_port(body);
    if (!port) return tl::make_unexpected(port.error());
    out.port = *port;
  }
  if (body.contains("scheme")) {
    auto const scheme = channel::text_at(body, "scheme");
    if (!scheme || scheme->empty() || scheme->size() > 32) return malformed("scheme");
    out.scheme = *scheme;
  }
  if (services.local_keys.contains(out.host.key)) {
    out.local_network = resolve::LocalNetwork::allowed;
  }
  return out;
}

}  // namespace

void on_endpoints(Services& services, Peer& peer, channel::Message request) {
  auto query = read_query(services, request.body);
  if (!query) return peer.fail(request, query.error());
  auto const options = read_resolve_options(request.body);
  if (!options) return peer.fail(request, options.error());
  request.body.clear();
  auto const started = services.driver.find_endpoints(
      std::move(*query), {*options, false},
      [weak = peer.weak_from_this(), request](resolve::EndpointSearch const& search) {
        auto const asker = weak.lock();
        if (!asker) return;
        boost::json::object out = {{"host", search.query().host.to_string()},
                                   {"port", search.query().port},
                                   {"endpoints", json::describe_endpoints(search)},
                                   {"trace", json::describe_trace(search)}};
        auto const error = search.error();
        if (error) return asker->fail(request, *error, std::move(out));
        asker->answer(request, std::move(out));
      });
  if (!started) peer.fail(request, started.error());
}

}  // namespace dotkey::host::daemon
