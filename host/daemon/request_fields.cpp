// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/request_fields.h"

#include <limits>
#include <string>

#include "core/base/text.h"
#include "core/names/public_key.h"

#include "host/channel/message.h"

namespace dotkey::host::daemon {

using base::ErrorCode;
using base::Result;
using channel::flag_at;
using channel::integer_at;
using channel::text_at;

namespace {

constexpr std::int64_t timeout_ms_max = 3'600'000;

// Absent when the field is; else within its bounds.
Result<std::optional<std::int64_t>> read_integer(boost::json::object const& body,
                                                 std::string_view name, std::int64_t min,
                                                 std::int64_t max) {
  if (!body.contains(boost::json::string_view(name.data(), name.size()))) return std::nullopt;
  auto const value = integer_at(body, name);
  if (!value || *value < min || *value > max) return malformed(name);
  return value;
}

// "source": which networks.
template <class Sources>
Result<Sources> read_sources(boost::json::object const& body) {
  Sources out;
  if (!body.contains("source")) return out;
  auto const text = text_at(body, "source");
  if (text != "all" && text != "dht" && text != "relay") return malformed("source");
  out.dht = text != "relay";
  out.relay = text != "dht";
  return out;
}

}  // namespace

base::Failure malformed(std::string_view field) {
  return base::fail(ErrorCode::session_body_malformed, std::string(field));
}

Result<std::uint16_t> read_port(boost::json::object const& body) {
  auto const port = integer_at(body, "port");
  if (!port || *port < 1 || *port > 65'535) return malformed("port");
  return static_cast<std::uint16_t>(*port);
}

Result<crypto::PublicKey> read_key(boost::json::object const& body) {
  auto const text = text_at(body, "key");
  if (!text) return malformed("key");
  return names::parse_public_key(*text);
}

Result<resolve::Options> read_resolve_options(boost::json::object const& body) {
  resolve::Options out;
  if (body.contains("policy")) {
    auto const text = text_at(body, "policy");
    auto const policy = text ? resolve::parse_policy(*text) : std::nullopt;
    if (!policy) return malformed("policy");
    out.policy = *policy;
  }
  auto const sources = read_sources<resolve::Sources>(body);
  if (!sources) return tl::make_unexpected(sources.error());
  out.sources = *sources;
  auto const timeout_ms = read_integer(body, "timeout_ms", 1, timeout_ms_max);
  if (!timeout_ms) return tl::make_unexpected(timeout_ms.error());
  if (*timeout_ms) out.timeout = engine::Duration::from_ms(**timeout_ms);
  return out;
}

Result<record::SignedPacket> read_packet(boost::json::object const& body) {
  auto const text = text_at(body, "packet");
  if (!text) return malformed("packet");
  auto const bytes = base::parse_base64(*text, base::Base64Alphabet::standard);
  if (!bytes) return tl::make_unexpected(bytes.error());
  return record::SignedPacket::parse(*bytes);
}

std::string encode_packet(record::SignedPacket const& packet) {
  return base::encode_base64(packet.canonical(), base::Base64Alphabet::standard);
}

Result<publish::Options> read_publish_options(boost::json::object const& body) {
  constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t dht_nodes_max = 20;
  publish::Options out;
  auto const cas_us = read_integer(body, "cas_us", 0, any);
  if (!cas_us) return tl::make_unexpected(cas_us.error());
  out.cas_us = *cas_us;
  auto const sources = read_sources<publish::Sources>(body);
  if (!sources) return tl::make_unexpected(sources.error());
  out.sources = *sources;
  auto const nodes = read_integer(body, "dht_nodes_min", 1, dht_nodes_max);
  if (!nodes) return tl::make_unexpected(nodes.error());
  if (*nodes) out.dht_nodes_min = static_cast<std::uint32_t>(**nodes);
  if (body.contains("keep_alive")) {
    auto const flag = flag_at(body, "keep_alive");
    if (!flag) return malformed("keep_alive");
    out.keep_alive = *flag;
  }
  return out;
}

Result<Passphrase> take_secret(boost::json::object& body, std::string_view name) {
  boost::json::string_view const field(name.data(), name.size());
  boost::json::value* const value = body.if_contains(field);
  if (value == nullptr) return Passphrase{};
  // Taken for absent, it would leave a key unsealed that was to be sealed.
  if (!value->is_string()) return malformed(name);
  boost::json::string& text = value->get_string();
  Passphrase out(std::string_view(text.data(), text.size()));
  crypto::wipe(text.data(), text.size());
  body.erase(field);
  return out;
}

}  // namespace dotkey::host::daemon
