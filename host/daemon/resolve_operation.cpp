// SPDX-License-Identifier: Apache-2.0
// resolve: a key → its packet.
#include <boost/json/value.hpp>

#include "core/names/public_key.h"

#include "host/daemon/operations.h"
#include "host/daemon/request_fields.h"
#include "host/json/records.h"
#include "host/loop/clock.h"

namespace dotkey::host::daemon {

namespace {

boost::json::object describe(resolve::Outcome const& outcome, bool with_records) {
  boost::json::object out = {{"key", names::format_public_key(outcome.packet->key())},
                             {"timestamp_us", outcome.packet->timestamp_us()},
                             {"source", resolve::name_of(outcome.source)},
                             {"age_s", outcome.age_s(loop::unix_now())},
                             {"stale", outcome.stale},
                             {"packet", encode_packet(*outcome.packet)}};
  if (with_records) out["records"] = json::describe_records(outcome.packet->records());
  return out;
}

}  // namespace

void on_resolve(Services& services, Peer& peer, channel::Message request) {
  auto const key = read_key(request.body);
  if (!key) return peer.fail(request, key.error());
  auto const options = read_resolve_options(request.body);
  if (!options) return peer.fail(request, options.error());
  bool const with_records = channel::flag_at(request.body, "records").value_or(false);
  request.body.clear();
  auto const started = services.driver.resolve(
      *key, *options,
      [weak = peer.weak_from_this(), request, with_records](resolve::Outcome const& outcome) {
        auto const asker = weak.lock();
        if (!asker) return;
        if (outcome.packet) return asker->answer(request, describe(outcome, with_records));
        asker->fail(request, *outcome.error);
      });
  if (!started) peer.fail(request, started.error());
}

}  // namespace dotkey::host::daemon
