// SPDX-License-Identifier: Apache-2.0
// One api::Node for the module's life. Each call begins with both clocks in microseconds, and gives
// {id?, effects, next_ms} or {error, …, effects, next_ms}; relays.mjs carries the effects out.
#include <memory>
#include <optional>
#include <utility>

#include "core/base/assert.h"
#include "core/names/public_key.h"

#include "wasm/arguments.h"
#include "wasm/browser_node.h"
#include "wasm/results.h"

namespace dotkey::wasm {
namespace {

std::unique_ptr<BrowserNode>& the_node() {
  static std::unique_ptr<BrowserNode> node;
  return node;
}

class NodeCall {
 public:
  NodeCall(std::uint8_t const* data, std::size_t size) : arguments(data, size) {
    DOTKEY_ASSERT(the_node() != nullptr);
    now.instant.us = arguments.next_i64();
    now.unix_time.us = arguments.next_i64();
    json.begin_object();
  }
  ~NodeCall() {
    the_node()->write_effects(json, now.instant);
    json.end_object();
    dotkey::wasm::finish(std::move(json));
  }
  NodeCall(NodeCall const&) = delete;
  NodeCall& operator=(NodeCall const&) = delete;

  api::Node& node() { return the_node()->node(); }

  // A key in the next argument; what is wrong with it becomes the answer.
  std::optional<crypto::PublicKey> next_key() {
    auto const key = names::parse_public_key(arguments.next_text());
    if (key) return *key;
    fail(key.error());
    return std::nullopt;
  }

  std::optional<record::SignedPacket> next_packet() {
    auto packet = record::SignedPacket::parse(arguments.next_bytes());
    if (packet) return std::move(*packet);
    fail(packet.error());
    return std::nullopt;
  }

  void fail(base::Error const& error) { write_error(json, error); }

  void answer(base::Result<api::RequestId> const& id) {
    if (!id) return fail(id.error());
    json.key("id").number(static_cast<std::int64_t>(*id));
  }

  void answer(base::Result<void> const& done) {
    if (!done) fail(done.error());
  }

  Arguments arguments;
  engine::Moment now;
  JsonWriter json;
};

resolve::Options options_of(std::string_view policy) {
  resolve::Options options;
  options.policy = resolve::parse_policy(policy).value_or(resolve::Policy::first);
  return options;
}

}  // namespace
}  // namespace dotkey::wasm

using namespace dotkey;        // NOLINT(google-build-using-namespace): only exports follow
using namespace dotkey::wasm;  // NOLINT(google-build-using-namespace)

extern "C" {

// 32 random bytes, relays → {} or an error. What a node before this one was doing is forgotten.
void dotkey_node_start(std::uint8_t const* data, std::size_t size) {
  Arguments arguments(data, size);
  auto node = std::make_unique<BrowserNode>(arguments.next_bytes());
  std::vector<std::string> urls;
  for (base::ByteView const url : arguments.next_list()) urls.emplace_back(base::text_of(url));
  auto const set = node->node().set_relays(urls);
  if (!set) return finish_with(set.error());
  the_node() = std::move(node);
  JsonWriter json;
  json.begin_object().end_object();
  finish(std::move(json));
}

// key, policy
void dotkey_node_resolve(std::uint8_t const* data, std::size_t size) {
  NodeCall call(data, size);
  auto const key = call.next_key();
  if (!key) return;
  call.answer(call.node().resolve(call.now, *key, options_of(call.arguments.next_text())));
}

// host, port, policy
void dotkey_node_find_endpoints(std::uint8_t const* data, std::size_t size) {
  NodeCall call(data, size);
  auto const host = names::parse_hostname(call.arguments.next_text());
  if (!host) return call.fail(host.error());
  resolve::EndpointQuery query;
  query.host = *host;
  query.port = static_cast<std::uint16_t>(call.arguments.next_u32());
  // Nothing is connected to here; a person reads where the key leads.
  query.local_network = resolve::LocalNetwork::allowed;
  query.alpn.clear();
  api::EndpointOptions options;
  options.resolve = options_of(call.arguments.next_text());
  call.answer(call.node().find_endpoints(call.now, std::move(query), options));
}

// packet, the timestamps that it may replace (none: any)
void dotkey_node_publish(std::uint8_t const* data, std::size_t size) {
  NodeCall call(data, size);
  auto const packet = call.next_packet();
  if (!packet) return;
  publish::Options options;
  if (call.arguments.next_u32() == 1) options.cas_us = call.arguments.next_i64();
  call.answer(call.node().publish(call.now, *packet, options));
}

// key: it is no longer republished
void dotkey_node_forget(std::uint8_t const* data, std::size_t size) {
  NodeCall call(data, size);
  auto const key = call.next_key();
  if (key) call.node().forget(call.now, *key);
}

// a row of save_row, in an earlier life
void dotkey_node_add_row(std::uint8_t const* data, std::size_t size) {
  NodeCall call(data, size);
  call.answer(call.node().add_row(call.now, call.arguments.next_bytes()));
}

// fetch id, status, header names and values by turns, body
void dotkey_node_fetched(std::uint8_t const* data, std::size_t size) {
  NodeCall call(data, size);
  auto const id = static_cast<relay::FetchId>(call.arguments.next_u32());
  auto const status = static_cast<std::uint16_t>(call.arguments.next_u32());
  std::vector<relay::HeaderView> headers;
  auto const fields = call.arguments.next_list();
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    headers.push_back({base::text_of(fields[i]), base::text_of(fields[i + 1])});
  }
  call.node().on_fetched(call.now, id, {status, headers, call.arguments.next_bytes()});
}

// fetch id, a number of relay::FetchFailure
void dotkey_node_fetch_failed(std::uint8_t const* data, std::size_t size) {
  NodeCall call(data, size);
  auto const id = static_cast<relay::FetchId>(call.arguments.next_u32());
  auto const failure = static_cast<relay::FetchFailure>(call.arguments.next_u32());
  call.node().on_fetch_failed(call.now, id, failure);
}

void dotkey_node_deadline(std::uint8_t const* data, std::size_t size) {
  NodeCall call(data, size);
  call.node().on_deadline(call.now);
}

// → relays and the keys kept alive
void dotkey_node_status(std::uint8_t const* data, std::size_t size) {
  NodeCall call(data, size);
  call.json.key("relays").begin_array();
  for (relay::RelayStatus const& relay : call.node().relays()) {
    call.json.begin_object().key("url").text(relay.url);
    call.json.key("error").text(relay.last_error ? base::slug_of(*relay.last_error) : "");
    call.json.key("latency_ms").number(relay.health.latency().ms());
    call.json.key("successes").number(static_cast<std::int64_t>(relay.health.successes()));
    call.json.key("failures_in_a_row").number(std::int64_t{relay.health.consecutive_failures()});
    call.json.end_object();
  }
  call.json.end_array().key("kept_alive").begin_array();
  for (api::KeptKey const& kept : call.node().kept_alive()) {
    call.json.begin_object().key("key").text(names::format_public_key(kept.schedule.key));
    call.json.key("timestamp_us").number(kept.schedule.timestamp_us);
    call.json.key("due_ms").number(kept.schedule.due.us / 1000);
    call.json.key("stored_ms").number(kept.schedule.stored_at.us / 1000);
    call.json.key("failures").number(kept.schedule.failures).end_object();
  }
  call.json.end_array();
}

}  // extern "C"
