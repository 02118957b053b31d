// SPDX-License-Identifier: Apache-2.0
#include "wasm/browser_node.h"

#include <algorithm>
#include <string_view>
#include <variant>

#include "core/base/text.h"
#include "core/crypto/hash.h"
#include "core/names/public_key.h"
#include "core/wire/zone_text.h"

#include "wasm/results.h"

namespace dotkey::wasm {
namespace {

using engine::Instant;

api::Settings settings_of_browser() {
  api::Settings settings;
  settings.publish.keys_max = 1000;
  settings.cache.entries_max = 1000;
  return settings;
}

std::string_view name_of(relay::RelayVerdict verdict) {
  switch (verdict) {
    case relay::RelayVerdict::waiting:
      return "waiting";
    case relay::RelayVerdict::found:
      return "found";
    case relay::RelayVerdict::not_newer:
      return "not_newer";
    case relay::RelayVerdict::not_found:
      return "not_found";
    case relay::RelayVerdict::invalid_packet:
      return "invalid_packet";
    case relay::RelayVerdict::stored:
      return "stored";
    case relay::RelayVerdict::newer_exists:
      return "newer_exists";
    case relay::RelayVerdict::cas_mismatch:
      return "cas_mismatch";
    case relay::RelayVerdict::failed:
      break;
  }
  return "failed";
}

void write_base64(JsonWriter& json, base::ByteView bytes) {
  json.text(base::encode_base64(bytes, base::Base64Alphabet::standard));
}

// A packet with its bytes, so that it can be kept and shown to others.
void write_whole_packet(JsonWriter& json, record::SignedPacket const& packet) {
  json.begin_object().key("canonical");
  write_base64(json, packet.canonical());
  json.key("packet");
  write_packet(json, packet);
  json.end_object();
}

void write_addresses(JsonWriter& json, std::vector<base::IpAddress> const& addresses) {
  json.begin_array();
  for (base::IpAddress const& address : addresses) json.text(address.to_string());
  json.end_array();
}

void write_endpoint(JsonWriter& json, resolve::Endpoint const& endpoint) {
  json.begin_object().key("icann_host").text(endpoint.icann_host);
  json.key("server_name").text(endpoint.server_name);
  json.key("port").number(endpoint.port);
  json.key("key").text(names::format_public_key(endpoint.key));
  json.key("addresses");
  write_addresses(json, endpoint.addresses);
  json.key("pins").begin_array();
  for (auto const& record : endpoint.tlsa) {
    json.text(wire::dns::encode_record_data_text(record));
  }
  json.end_array().end_object();
}

void write_search(JsonWriter& json, resolve::EndpointSearch const& search) {
  json.key("endpoints").begin_array();
  std::vector<crypto::PublicKey> keys;
  for (resolve::Endpoint const& endpoint : search.endpoints()) {
    write_endpoint(json, endpoint);
    keys.insert(keys.end(), endpoint.path.begin(), endpoint.path.end());
  }
  json.end_array().key("trace").begin_array();
  for (resolve::TraceStep const& step : search.trace()) {
    json.begin_object().key("depth").number(step.depth);
    json.key("key").text(names::format_public_key(step.key));
    json.key("name").text(step.name);
    json.key("record").text(step.record);
    json.key("note").text(step.note).end_object();
  }
  json.end_array().key("packets").begin_array();
  keys.push_back(search.query().host.key);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (crypto::PublicKey const& key : keys) {
    auto const* const packet = search.packet_of(key);
    if (packet != nullptr) write_whole_packet(json, *packet);
  }
  json.end_array();
  if (auto const error = search.error()) write_error(json, *error);
}

void begin(JsonWriter& json, std::string_view effect) {
  json.begin_object().key("effect").text(effect);
}

template <class Id>
JsonWriter& write_id(JsonWriter& json, Id id) {
  return json.key("id").number(static_cast<std::int64_t>(id));
}

void write(JsonWriter& json, relay::FetchUrl const& fetch) {
  begin(json, "fetch");
  write_id(json, fetch.id).key("method").text(fetch.method == relay::Method::get ? "GET" : "PUT");
  json.key("url").text(fetch.url).key("headers").begin_object();
  for (relay::Header const& header : fetch.headers) json.key(header.name).text(header.value);
  json.end_object().key("body");
  write_base64(json, fetch.body);
  json.key("response_size_max").number(static_cast<std::int64_t>(fetch.response_size_max));
  json.key("timeout_ms").number(fetch.timeout.ms()).end_object();
}

void write(JsonWriter& json, relay::CancelFetch const& cancel) {
  begin(json, "cancel_fetch");
  write_id(json, cancel.id).end_object();
}

void write(JsonWriter& json, api::Resolved const& resolved) {
  begin(json, "resolved");
  write_id(json, resolved.id);
  if (resolved.outcome.error) write_error(json, *resolved.outcome.error);
  if (resolved.outcome.packet) {
    json.key("found");
    write_whole_packet(json, *resolved.outcome.packet);
    json.key("source").text(resolve::name_of(resolved.outcome.source));
    json.key("last_seen_ms").number(resolved.outcome.last_seen.us / 1000);
    json.key("stale").boolean(resolved.outcome.stale);
  }
  json.end_object();
}

void write(JsonWriter& json, api::EndpointsFound const& found) {
  begin(json, "endpoints");
  write_id(json, found.id);
  write_search(json, found.search);
  json.end_object();
}

void write(JsonWriter& json, api::Published const& published) {
  begin(json, "published");
  write_id(json, published.id);
  if (published.outcome.error) write_error(json, *published.outcome.error);
  json.key("dht_nodes").number(published.outcome.dht_nodes);
  json.key("attempts").number(published.outcome.attempts);
  json.key("relays");
  write_relay_results(json, published.outcome.relays);
  if (published.outcome.theirs) {
    json.key("theirs");
    write_whole_packet(json, *published.outcome.theirs);
  }
  json.end_object();
}

void write(JsonWriter& json, publish::SaveRow const& save) {
  begin(json, "save_row");
  json.key("key").text(names::format_public_key(save.key)).key("row");
  write_base64(json, save.row);
  json.end_object();
}

void write(JsonWriter& json, publish::DropRow const& drop) {
  begin(json, "drop_row");
  json.key("key").text(names::format_public_key(drop.key)).end_object();
}

void write(JsonWriter& json, publish::Adopted const& adopted) {
  begin(json, "adopted");
  json.key("theirs");
  write_whole_packet(json, adopted.packet);
  json.end_object();
}

// There is no DHT here, nothing to store packets in, and nobody who watches their way.
template <class Effect>
void write(JsonWriter& /*json*/, Effect const& /*effect*/) {}

}  // namespace

void DrawnEntropy::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    std::array<std::uint8_t, 8> number{};
    for (std::size_t i = 0; i < number.size(); ++i) {
      number[i] = static_cast<std::uint8_t>(drawn_ >> (8 * i));
    }
    ++drawn_;
    auto const block = crypto::blake2b({secret_, number});
    std::size_t const size = std::min(block.size(), out.size());
    std::copy_n(block.begin(), size, out.begin());
    out = out.subspan(size);
  }
}

BrowserNode::BrowserNode(base::ByteView secret)
    : entropy_(secret), node_(settings_of_browser(), entropy_) {
  node_.set_sources({.dht = false, .relay = true});
}

void BrowserNode::write_effects(JsonWriter& json, Instant now) {
  json.key("effects").begin_array();
  while (auto const effect = node_.poll_effect()) {
    std::visit([&](auto const& one) { write(json, one); }, *effect);
  }
  json.end_array().key("next_ms");
  auto const deadline = node_.next_deadline();
  if (!deadline) {
    json.null();
    return;
  }
  // Rounded up, or the driver would come back too early.
  json.number(std::max<std::int64_t>(0, ((*deadline - now).us + 999) / 1000));
}

void write_relay_results(JsonWriter& json, std::vector<relay::RelayResult> const& relays) {
  json.begin_array();
  for (relay::RelayResult const& relay : relays) {
    json.begin_object().key("url").text(relay.url).key("verdict").text(name_of(relay.verdict));
    json.key("error").text(relay.error ? base::slug_of(*relay.error) : "").end_object();
  }
  json.end_array();
}

}  // namespace dotkey::wasm
