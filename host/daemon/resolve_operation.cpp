// SPDX-License-Identifier: Apache-2.0
// resolve: a key → its packet.
#include <memory>

#include <boost/json/value.hpp>

#include "core/base/text.h"
#include "core/names/public_key.h"

#include "host/daemon/operations.h"
#include "host/loop/clock.h"

namespace dotkey::host::daemon {

using base::ErrorCode;
using base::Result;

namespace {

constexpr std::int64_t timeout_ms_max = 3'600'000;

struct Request {
  crypto::PublicKey key;
  resolve::Options options;
};

base::Failure malformed(std::string_view field) {
  return base::fail(ErrorCode::session_body_malformed, std::string(field));
}

Result<Request> parse_request(boost::json::object const& body) {
  Request out;
  auto const key_text = channel::text_at(body, "key");
  if (!key_text) return malformed("key");
  auto const key = names::parse_public_key(*key_text);
  if (!key) return tl::make_unexpected(key.error());
  out.key = *key;
  if (body.contains("policy")) {
    auto const text = channel::text_at(body, "policy");
    auto const policy = text ? resolve::parse_policy(*text) : std::nullopt;
    if (!policy) return malformed("policy");
    out.options.policy = *policy;
  }
  if (body.contains("source")) {
    auto const text = channel::text_at(body, "source");
    if (text != "all" && text != "dht" && text != "relay") return malformed("source");
    out.options.sources.dht = text != "relay";
    out.options.sources.relay = text != "dht";
  }
  if (body.contains("timeout_ms")) {
    auto const timeout_ms = channel::integer_at(body, "timeout_ms");
    if (!timeout_ms || *timeout_ms < 1 || *timeout_ms > timeout_ms_max) {
      return malformed("timeout_ms");
    }
    out.options.timeout = engine::Duration::from_ms(*timeout_ms);
  }
  return out;
}

boost::json::object describe(resolve::Outcome const& outcome) {
  return {
      {"key", names::format_public_key(outcome.packet->key())},
      {"timestamp_us", outcome.packet->timestamp_us()},
      {"source", resolve::name_of(outcome.source)},
      {"age_s", outcome.age_s(loop::unix_now())},
      {"stale", outcome.stale},
      {"packet", base::encode_base64(outcome.packet->canonical(), base::Base64Alphabet::standard)}};
}

}  // namespace

void on_resolve(Services& services, Session& session, channel::Message request) {
  auto const parsed = parse_request(request.body);
  if (!parsed) return session.fail(request, parsed.error());
  request.body.clear();
  auto const started = services.driver.resolve(
      parsed->key, parsed->options,
      [weak = session.weak_from_this(), request](resolve::Outcome const& outcome) {
        auto const asker = weak.lock();
        if (!asker) return;
        if (outcome.packet) return asker->answer(request, describe(outcome));
        asker->fail(request, *outcome.error);
      });
  if (!started) session.fail(request, started.error());
}

}  // namespace dotkey::host::daemon
