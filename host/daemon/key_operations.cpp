// SPDX-License-Identifier: Apache-2.0
// What the daemon keeps by key: what it keeps alive, and what may lead into the local network.
#include <boost/json/array.hpp>

#include "core/names/public_key.h"

#include "host/daemon/browser_part.h"
#include "host/daemon/listener.h"
#include "host/daemon/operations.h"
#include "host/daemon/request_fields.h"

namespace dotkey::host::daemon {

namespace {

boost::json::object describe(api::KeptKey const& kept) {
  boost::json::object out = {{"key", names::format_public_key(kept.schedule.key)},
                             {"timestamp_us", kept.schedule.timestamp_us},
                             {"due_us", kept.schedule.due.us},
                             {"stored_us", kept.schedule.stored_at.us},
                             {"dht_nodes", kept.schedule.dht_nodes},
                             {"failures", kept.schedule.failures}};
  if (kept.adopted_timestamp_us) {
    out["adopted_timestamp_us"] = *kept.adopted_timestamp_us;
    out["adopted_at_us"] = kept.adopted_at.us;
  }
  return out;
}

}  // namespace

boost::json::array describe_kept_keys(api::Node const& node) {
  boost::json::array out;
  for (api::KeptKey const& kept : node.kept_alive()) {
    if (out.size() == kept_keys_shown_max) break;
    out.push_back(describe(kept));
  }
  return out;
}

void on_kept_keys(Services& services, Peer& peer, channel::Message request) {
  api::Node const& node = services.driver.node();
  peer.answer(request,
              {{"count", node.status().keys_kept_alive}, {"keys", describe_kept_keys(node)}});
}

void on_forget(Services& services, Peer& peer, channel::Message request) {
  auto const key = read_key(request.body);
  if (!key) return peer.fail(request, key.error());
  services.driver.forget(*key);
  peer.answer(request, {{"key", names::format_public_key(*key)}});
}

boost::json::array describe_keys(store::AllowedKeys const& keys) {
  boost::json::array out;
  for (auto const& key : keys.keys()) out.emplace_back(names::format_public_key(key));
  return out;
}

namespace {

base::Result<void> change_allowed(store::AllowedKeys& list, channel::Message const& request) {
  auto const key = read_key(request.body);
  if (!key) return tl::make_unexpected(key.error());
  // Permission is what its absence means; no other value may be taken for it.
  if (!request.body.contains("allow")) return list.set(*key, true);
  auto const allowed = channel::flag_at(request.body, "allow");
  if (!allowed) return malformed("allow");
  return list.set(*key, *allowed);
}

// "key" and "allow", both optional: the list as it is then. False: the request was refused.
bool answer_allowed(store::AllowedKeys& list, Peer& peer, channel::Message const& request) {
  if (request.body.contains("key")) {
    auto const set = change_allowed(list, request);
    if (!set) {
      peer.fail(request, set.error());
      return false;
    }
  }
  peer.answer(request, {{"keys", describe_keys(list)}});
  return true;
}

}  // namespace

void on_allow_local(Services& services, Peer& peer, channel::Message request) {
  if (!answer_allowed(services.local_keys, peer, request)) return;
  auto const key = read_key(request.body);
  if (key && services.pages != nullptr && !services.local_keys.contains(*key)) {
    services.pages->end_local(*key);
  }
}

void on_allow_http(Services& services, Peer& peer, channel::Message request) {
  if (!answer_allowed(services.http_keys, peer, request)) return;
  auto const key = read_key(request.body);
  if (!key) return;
  if (services.pages != nullptr && !services.http_keys.contains(*key)) {
    services.pages->end_plain(*key);
  }
  tell_http_keys(services);
}

void tell_http_keys(Services& services) {
  if (services.listener == nullptr) return;
  boost::json::object const body{{"http_keys", describe_keys(services.http_keys)}};
  services.listener->for_each_session([&](Session& session) {
    if (dynamic_cast<BrowserPart*>(session.part.get()) != nullptr) session.send("http_keys", body);
  });
}

}  // namespace dotkey::host::daemon
