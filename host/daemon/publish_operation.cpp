// SPDX-License-Identifier: Apache-2.0
// publish and keep_alive: signed packets into the network. The key that signs stays elsewhere.
#include <boost/json/array.hpp>

#include "core/names/public_key.h"

#include "host/daemon/operations.h"
#include "host/daemon/request_fields.h"

namespace dotkey::host::daemon {

using base::ErrorCode;

namespace {

std::string_view name_of(dotkey::relay::RelayVerdict verdict) {
  using dotkey::relay::RelayVerdict;
  switch (verdict) {
    case RelayVerdict::stored:
      return "stored";
    case RelayVerdict::newer_exists:
      return "newer_exists";
    case RelayVerdict::cas_mismatch:
      return "cas_mismatch";
    case RelayVerdict::waiting:
      return "waiting";
    default:
      return "failed";
  }
}

boost::json::array describe(std::vector<dotkey::relay::RelayResult> const& relays) {
  boost::json::array out;
  for (dotkey::relay::RelayResult const& relay : relays) {
    boost::json::object entry = {
        {"url", relay.url}, {"verdict", name_of(relay.verdict)}, {"dht_nodes", relay.dht_nodes}};
    if (relay.error) entry["error"] = base::slug_of(*relay.error);
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace

void answer_published(Peer& peer, channel::Message const& request, record::SignedPacket const& ours,
                      publish::Outcome const& outcome) {
  boost::json::object out = {{"key", names::format_public_key(ours.key())},
                             {"timestamp_us", ours.timestamp_us()},
                             {"dht_nodes", outcome.dht_nodes},
                             {"relays", describe(outcome.relays)},
                             {"attempts", outcome.attempts}};
  if (!outcome.error) return peer.answer(request, std::move(out));
  // It can be found, if perhaps not for long.
  if (outcome.error->code == ErrorCode::publish_too_few_nodes) {
    out["warning"] = channel::describe_error(*outcome.error);
    return peer.answer(request, std::move(out));
  }
  base::Error error = *outcome.error;
  if (outcome.theirs) {
    out["theirs"] = encode_packet(*outcome.theirs);
    out["theirs_timestamp_us"] = outcome.theirs->timestamp_us();
    error.detail = "yours has timestamp " + std::to_string(ours.timestamp_us()) +
                   ", the network's " + std::to_string(outcome.theirs->timestamp_us());
  }
  peer.fail(request, error, std::move(out));
}

void publish_packet(Services& services, Peer& peer, channel::Message const& request,
                    record::SignedPacket const& packet, publish::Options const& options) {
  if (!options.keep_alive) services.driver.forget(packet.key());
  auto const started = services.driver.publish(
      packet, options,
      [weak = peer.weak_from_this(), request, packet](publish::Outcome const& outcome) {
        if (auto const asker = weak.lock()) answer_published(*asker, request, packet, outcome);
      });
  if (!started) peer.fail(request, started.error());
}

void on_publish(Services& services, Peer& peer, channel::Message request) {
  auto const packet = read_packet(request.body);
  if (!packet) return peer.fail(request, packet.error());
  auto const options = read_publish_options(request.body);
  if (!options) return peer.fail(request, options.error());
  request.body.clear();
  publish_packet(services, peer, request, *packet, *options);
}

void on_keep_alive(Services& services, Peer& peer, channel::Message request) {
  auto const packet = read_packet(request.body);
  if (!packet) return peer.fail(request, packet.error());
  auto const done = services.driver.keep_alive(*packet);
  if (!done) return peer.fail(request, done.error());
  peer.answer(request, {{"key", names::format_public_key(packet->key())}});
}

}  // namespace dotkey::host::daemon
