// SPDX-License-Identifier: Apache-2.0
// What a relay's answer means, with the faults of the relays in the field.
#include "core/base/integers.h"
#include "core/relay/client_parts.h"

namespace dotkey::relay {

using base::ErrorCode;

namespace {

// `Retry-After` in seconds; the form with a date is not worth its trust in two clocks.
Duration retry_after(FetchResult const& result) {
  auto const text = find_header(result.headers, "retry-after");
  auto const seconds = text ? base::parse_decimal<std::uint32_t>(*text) : std::nullopt;
  return Duration::from_s(seconds.value_or(1));
}

// When the relay itself last saw the packet, so that our cache does not make it younger.
UnixTime last_seen_of(FetchResult const& result, UnixTime now) {
  auto const text = find_header(result.headers, "memento-datetime");
  auto const seen = text ? parse_http_date(*text, now) : std::nullopt;
  return seen && *seen <= now ? *seen : now;
}

bool is_success(std::uint16_t status) {
  return status >= 200 && status < 300;
}

}  // namespace

void Client::Parts::succeed(Moment now, Exchange const& exchange, RelayVerdict verdict) {
  relays[exchange.relay].health.on_success(now.instant - exchange.sent_at);
  relays[exchange.relay].last_error.reset();
  end_exchange(now, exchange, verdict, std::nullopt);
}

void Client::Parts::on_answer(Moment now, Exchange const& exchange, FetchResult const& result) {
  Operation const* const operation = find_operation(exchange.operation);
  if (operation == nullptr) {
    // Too late for the question, in time for the relay's good name.
    if (result.status < 500)
      relays[exchange.relay].health.on_success(now.instant - exchange.sent_at);
    return;
  }
  if (operation->method == Method::get || exchange.conflict) {
    on_get_answer(now, exchange, result);
  } else if (exchange.comparing) {
    on_comparison(now, exchange, result);
  } else {
    on_put_answer(now, exchange, result);
  }
}

// The same relay once more. False when that was done before.
bool Client::Parts::ask_again(Moment now, Exchange const& exchange, bool if_modified_since) {
  if (exchange.bypass_caches) return false;
  Exchange again = exchange;
  again.if_modified_since = if_modified_since;
  again.bypass_caches = true;
  send(now, *find_operation(exchange.operation), again);
  return true;
}

void Client::Parts::on_get_answer(Moment now, Exchange const& exchange, FetchResult const& result) {
  if (is_success(result.status)) return on_payload(now, exchange, result);
  // Whatever this is, the put did meet another packet.
  if (exchange.conflict) return end_exchange(now, exchange, *exchange.conflict, std::nullopt);
  if (result.status == 304) {
    if (exchange.if_modified_since) return succeed(now, exchange, RelayVerdict::not_newer);
    // Not what was asked: some cache on the way answered for the relay.
    if (!ask_again(now, exchange, false)) fail(now, exchange, ErrorCode::relay_response_malformed);
    return;
  }
  if (result.status == 404) return on_not_found(now, exchange, result);
  on_refusal(now, exchange, result);
}

void Client::Parts::on_payload(Moment now, Exchange const& exchange, FetchResult const& result) {
  if (result.body.empty()) {
    // Relays v3.8 to v6 send the headers alone when the packet is newer than If-Modified-Since.
    if (!ask_again(now, exchange, false)) fail(now, exchange, ErrorCode::relay_payload_invalid);
    return;
  }
  if (result.body.size() > payload_size_max) {
    return fail(now, exchange, ErrorCode::relay_response_too_large);
  }
  Operation& operation = *find_operation(exchange.operation);
  auto packet = SignedPacket::parse_relay_payload(operation.key, result.body);
  if (!packet) return fail(now, exchange, ErrorCode::relay_payload_invalid);
  if (exchange.conflict) {
    auto const& cas_us = operation.put_options.cas_us;
    if (packet->is_more_recent_than(*operation.packet) ||
        (cas_us && packet->timestamp_us() != *cas_us)) {
      keep_newest(operation, exchange.operation, std::move(*packet), now.unix_time);
    }
    return succeed(now, exchange, *exchange.conflict);
  }
  auto const& floor = operation.get_options.newer_than_us;
  if (floor && packet->timestamp_us() < *floor) {
    return succeed(now, exchange, RelayVerdict::not_newer);
  }
  keep_newest(operation, exchange.operation, std::move(*packet),
              last_seen_of(result, now.unix_time));
  succeed(now, exchange, RelayVerdict::found);
}

void Client::Parts::keep_newest(Operation& operation, OperationId id, SignedPacket packet,
                                UnixTime last_seen) {
  Outcome& outcome = operation.outcome;
  if (outcome.packet && !packet.is_more_recent_than(*outcome.packet)) {
    if (*outcome.packet == packet) outcome.last_seen = std::max(outcome.last_seen, last_seen);
    return;
  }
  outcome.packet = packet;
  outcome.last_seen = last_seen;
  if (operation.method == Method::get) {
    effects.push(PacketFound{id, std::move(packet), last_seen});
  }
}

void Client::Parts::on_not_found(Moment now, Exchange const& exchange, FetchResult const& result) {
  auto const text = find_header(result.headers, invalid_sequence_header);
  if (!text) return succeed(now, exchange, RelayVerdict::not_found);
  auto const timestamp = base::parse_decimal<std::int64_t>(*text);
  if (!timestamp || *timestamp < 0) {
    return fail(now, exchange, ErrorCode::relay_response_malformed);
  }
  Operation& operation = *find_operation(exchange.operation);
  auto const& floor = operation.get_options.newer_than_us;
  if (floor && *timestamp <= *floor) return succeed(now, exchange, RelayVerdict::not_found);
  auto& greatest = operation.outcome.invalid_timestamp;
  greatest = std::max(greatest.value_or(0), *timestamp);
  succeed(now, exchange, RelayVerdict::invalid_packet);
}

// What cannot be compared is not overwritten: a captive portal's page as little as a refusal.
void Client::Parts::on_comparison(Moment now, Exchange const& exchange, FetchResult const& result) {
  if (result.status == 404) {
    Exchange put = exchange;
    put.comparing = false;
    return send(now, *find_operation(exchange.operation), put);
  }
  if (!is_success(result.status)) return on_refusal(now, exchange, result);
  if (result.body.size() > payload_size_max) {
    return fail(now, exchange, ErrorCode::relay_response_too_large);
  }
  Operation const& operation = *find_operation(exchange.operation);
  auto held = SignedPacket::parse_relay_payload(operation.key, result.body);
  if (!held) return fail(now, exchange, ErrorCode::relay_payload_invalid);
  put_unless_in_the_way(now, exchange, std::move(*held));
}

void Client::Parts::put_unless_in_the_way(Moment now, Exchange const& exchange, SignedPacket held) {
  Operation& operation = *find_operation(exchange.operation);
  Exchange put = exchange;
  put.comparing = false;
  put.holds_ours = held == *operation.packet;
  auto const& cas_us = operation.put_options.cas_us;
  bool const newer = held.is_more_recent_than(*operation.packet);
  bool const other = cas_us && held.timestamp_us() != *cas_us && !put.holds_ours;
  if (!newer && !other) return send(now, operation, put);
  keep_newest(operation, exchange.operation, std::move(held), now.unix_time);
  succeed(now, exchange, newer ? RelayVerdict::newer_exists : RelayVerdict::cas_mismatch);
}

void Client::Parts::on_put_answer(Moment now, Exchange const& exchange, FetchResult const& result) {
  if (result.status == 409 || result.status == 428) {
    return ask_for_the_packet_in_the_way(now, exchange, RelayVerdict::newer_exists);
  }
  if (result.status == 412) {
    return ask_for_the_packet_in_the_way(now, exchange, RelayVerdict::cas_mismatch);
  }
  if (!is_success(result.status)) return on_refusal(now, exchange, result);
  Operation& operation = *find_operation(exchange.operation);
  std::uint32_t nodes = 1;  // relays before v7 do not say how many
  if (auto const text = find_header(result.headers, stored_nodes_header)) {
    auto const parsed = base::parse_decimal<std::uint32_t>(*text);
    if (!parsed) return fail(now, exchange, ErrorCode::relay_response_malformed);
    nodes = *parsed;
  }
  ++operation.outcome.stored;
  operation.outcome.dht_nodes = std::max(operation.outcome.dht_nodes, nodes);
  operation.outcome.relays[*operation.results_of[exchange.relay]].dht_nodes = nodes;
  succeed(now, exchange, RelayVerdict::stored);
}

// The relay does not send what it prefers to ours, so it is asked.
void Client::Parts::ask_for_the_packet_in_the_way(Moment now, Exchange const& exchange,
                                                  RelayVerdict verdict) {
  Exchange get = exchange;
  get.conflict = verdict;
  get.if_modified_since = false;
  send(now, *find_operation(exchange.operation), get);
}

void Client::Parts::on_refusal(Moment now, Exchange const& exchange, FetchResult const& result) {
  Relay& relay = relays[exchange.relay];
  if (result.status == 429) {
    relay.health.on_rate_limit(now.instant, retry_after(result), settings.back_off);
    relay.last_error = ErrorCode::relay_rate_limited;
    return end_exchange(now, exchange, RelayVerdict::failed, ErrorCode::relay_rate_limited);
  }
  if (result.status >= 300 && result.status < 400) {
    return fail(now, exchange, ErrorCode::relay_redirected);
  }
  if (result.status == 400 || result.status == 413) {
    // Our request displeased it; others may still fare well.
    relay.last_error = ErrorCode::relay_refused;
    return end_exchange(now, exchange, RelayVerdict::failed, ErrorCode::relay_refused);
  }
  if (result.status == 503 || result.status == 500) {
    return fail(now, exchange, ErrorCode::relay_dht_unavailable);
  }
  fail(now, exchange, ErrorCode::relay_response_malformed);
}

}  // namespace dotkey::relay
