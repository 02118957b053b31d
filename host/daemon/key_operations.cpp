// SPDX-License-Identifier: Apache-2.0
// What the daemon keeps by key: what it keeps alive, and what may lead into the local network.
#include <boost/json/array.hpp>

#include "core/names/public_key.h"

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

void on_allow_local(Services& services, Peer& peer, channel::Message request) {
  if (request.body.contains("key")) {
    auto const key = read_key(request.body);
    if (!key) return peer.fail(request, key.error());
    bool const allowed = channel::flag_at(request.body, "allow").value_or(true);
    auto const set = services.local_keys.set(*key, allowed);
    if (!set) return peer.fail(request, set.error());
  }
  boost::json::array keys;
  for (auto const& key : services.local_keys.keys()) {
    keys.emplace_back(names::format_public_key(key));
  }
  peer.answer(request, {{"keys", std::move(keys)}});
}

}  // namespace dotkey::host::daemon
