// SPDX-License-Identifier: Apache-2.0
#include "core/relay/client.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/endpoint.h"
#include "core/base/integers.h"
#include "core/base/text.h"
#include "core/relay/client_parts.h"

namespace dotkey::relay {

using base::ErrorCode;
using base::Result;

namespace {

// The driver's own time-out should come first.
constexpr Duration deadline_grace = Duration::from_s(2);
constexpr std::size_t url_size_max = 512;

// Printable ASCII without what would end the authority or hide another one.
bool is_url_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7f &&
           std::string_view("@\\?#\"<>^`{|}").find(c) == std::string_view::npos;
  });
}

bool is_authority(std::string_view text) {
  if (text.empty()) return false;
  std::string_view port;
  if (text.front() == '[') {
    std::size_t const end = text.find(']');
    if (end == text.npos) return false;
    auto const address = base::IpAddress::parse(text.substr(1, end - 1));
    if (!address || address->is_v4()) return false;
    port = text.substr(end + 1);
  } else {
    std::size_t const colon = text.find(':');
    if (colon == 0) return false;
    if (colon != text.npos) port = text.substr(colon);
  }
  if (port.empty()) return true;
  auto const number = base::parse_decimal<std::uint16_t>(port.substr(1));
  return port.front() == ':' && number && *number != 0;
}

// How much an error tells a person, where relays failed in different ways.
int weight_of(ErrorCode error) {
  switch (error) {
    case ErrorCode::relay_payload_invalid:
    case ErrorCode::relay_redirected:
    case ErrorCode::relay_response_too_large:
      return 3;
    case ErrorCode::relay_unreachable:
      return 0;
    case ErrorCode::relay_timeout:
      return 1;
    default:
      return 2;
  }
}

}  // namespace

std::uint32_t Outcome::count(RelayVerdict verdict) const {
  return static_cast<std::uint32_t>(std::count_if(
      relays.begin(), relays.end(), [&](RelayResult const& r) { return r.verdict == verdict; }));
}

Result<std::string> parse_relay_url(std::string_view text) {
  auto const malformed = [&] {
    return base::fail(ErrorCode::relay_url_malformed, std::string(text.substr(0, 100)));
  };
  std::size_t const scheme_end = text.find("://");
  if (scheme_end == text.npos || text.size() > url_size_max) return malformed();
  std::string const scheme = base::to_lower_ascii(text.substr(0, scheme_end));
  std::string_view rest = text.substr(scheme_end + 3);
  if ((scheme != "https" && scheme != "http") || !is_url_text(rest)) return malformed();
  while (rest.ends_with('/')) rest.remove_suffix(1);
  std::string_view const authority = rest.substr(0, rest.find('/'));
  if (!is_authority(authority)) return malformed();
  return scheme + "://" + base::to_lower_ascii(authority) +
         std::string(rest.substr(authority.size()));
}

// The relays that are not resting; when all are, the one whose rest ends first.
std::vector<std::size_t> Client::Parts::relays_to_ask(Instant now) const {
  std::vector<std::size_t> out;
  std::size_t soonest = 0;
  for (std::size_t i = 0; i < relays.size(); ++i) {
    if (!relays[i].health.is_resting(now)) out.push_back(i);
    if (relays[i].health.rests_until() < relays[soonest].health.rests_until()) soonest = i;
  }
  if (out.empty()) out.push_back(soonest);
  return out;
}

Operation* Client::Parts::find_operation(OperationId id) {
  auto const found = operations.find(id);
  return found == operations.end() ? nullptr : &found->second;
}

Result<OperationId> Client::Parts::start(Moment now, Operation operation) {
  if (relays.empty()) return base::fail(ErrorCode::network_no_source, "no relay is configured");
  if (operations.size() >= settings.operations_max) return base::fail(ErrorCode::relay_busy);
  OperationId const id{++last_operation_id};
  operation.results_of.resize(relays.size());
  operation.started = now.instant;
  std::vector<std::size_t> const asked = relays_to_ask(now.instant);
  for (std::size_t const relay : asked) {
    operation.results_of[relay] = operation.outcome.relays.size();
    operation.outcome.relays.push_back({relays[relay].url, RelayVerdict::waiting, {}, 0});
    ++operation.open;
    if (relays[relay].health.is_trusted()) ++operation.open_trusted;
  }
  Operation const& placed = operations.emplace(id, std::move(operation)).first->second;
  for (std::size_t const relay : asked) {
    Exchange exchange;
    exchange.operation = id;
    exchange.relay = relay;
    exchange.trusted = relays[relay].health.is_trusted();
    exchange.if_modified_since = placed.get_options.newer_than_us.has_value();
    exchange.comparing = placed.put_options.compare_first;
    send(now, placed, exchange);
  }
  return id;
}

void Client::Parts::send(Moment now, Operation const& operation, Exchange exchange) {
  FetchUrl fetch;
  fetch.id = FetchId{++last_fetch_id};
  fetch.timeout = settings.request_timeout;
  fetch.url = relays[exchange.relay].url + "/" + base::encode_zbase32(operation.key.view());
  bool const is_get = operation.method == Method::get || exchange.conflict || exchange.comparing;
  fetch.method = is_get ? Method::get : Method::put;
  if (is_get) {
    Policy policy = operation.get_options.policy;
    if (exchange.conflict) policy = Policy::cache_first;
    if (exchange.comparing) policy = Policy::cache_only;
    fetch.url += "?policy=";
    fetch.url += name_of(policy);
    if (exchange.if_modified_since) {
      // Cut to the second, so that only what is at least as new counts as modified.
      fetch.headers.push_back(
          {"If-Modified-Since", encode_http_date(UnixTime{*operation.get_options.newer_than_us})});
    }
    if (exchange.bypass_caches || exchange.comparing || policy == Policy::network_only) {
      fetch.headers.push_back({"Cache-Control", "no-cache, no-store, must-revalidate"});
    }
  } else {
    fetch.body = base::to_bytes(operation.packet->relay_payload());
    if (operation.put_options.cas_us && !exchange.holds_ours) {
      fetch.headers.push_back({"If-Match", std::to_string(*operation.put_options.cas_us)});
    }
  }
  exchange.sent_at = now.instant;
  exchange.deadline = now.instant + settings.request_timeout + deadline_grace;
  FetchId const id = fetch.id;
  // An undrained driver loses the request, never the verdict: the deadline still ends it.
  exchanges.emplace(id, exchange);
  deadlines.emplace(exchange.deadline, id);
  effects.push(std::move(fetch));
}

std::optional<Exchange> Client::Parts::take(FetchId id) {
  auto const found = exchanges.find(id);
  if (found == exchanges.end()) return std::nullopt;
  Exchange const exchange = found->second;
  deadlines.erase({exchange.deadline, id});
  exchanges.erase(found);
  return exchange;
}

// One relay has given its last word. The operation ends with the last one that anybody waits for.
void Client::Parts::end_exchange(Moment now, Exchange const& exchange, RelayVerdict verdict,
                                 std::optional<ErrorCode> error) {
  Operation* const operation = find_operation(exchange.operation);
  if (operation == nullptr) return;
  RelayResult& result = operation->outcome.relays[*operation->results_of[exchange.relay]];
  result.verdict = verdict;
  result.error = error;
  if (verdict != RelayVerdict::failed) ++operation->answered;
  --operation->open;
  if (exchange.trusted) --operation->open_trusted;
  if (operation->open == 0 || (operation->open_trusted == 0 && operation->answered > 0)) {
    return finish(exchange.operation, verdict_of(*operation));
  }
  if (operation->answered == 0 || operation->ends_at) return;
  operation->ends_at =
      now.instant + std::max(settings.straggler_patience, (now.instant - operation->started) * 2);
  operation_ends.emplace(*operation->ends_at, exchange.operation);
}

std::optional<ErrorCode> Client::Parts::verdict_of(Operation const& operation) {
  Outcome const& outcome = operation.outcome;
  if (operation.method == Method::put) {
    bool const newer_shown = outcome.packet.has_value();
    std::uint32_t const newer = outcome.count(RelayVerdict::newer_exists);
    std::uint32_t const mismatched = outcome.count(RelayVerdict::cas_mismatch);
    // One newer packet that verifies is proof; without it the relays' word counts by number.
    if (mismatched > 0 && (newer_shown || mismatched >= outcome.stored)) {
      return ErrorCode::relay_cas_mismatch;
    }
    if (newer > 0 && (newer_shown || newer >= outcome.stored)) return ErrorCode::relay_newer_exists;
    if (outcome.stored > 0) return std::nullopt;
  } else {
    if (outcome.packet || outcome.count(RelayVerdict::not_newer) > 0) return std::nullopt;
    if (outcome.count(RelayVerdict::not_found) + outcome.count(RelayVerdict::invalid_packet) > 0) {
      return ErrorCode::relay_not_found;
    }
  }
  std::optional<ErrorCode> worst;
  for (RelayResult const& result : outcome.relays) {
    if (result.error && (!worst || weight_of(*result.error) > weight_of(*worst))) {
      worst = result.error;
    }
  }
  return worst ? worst : ErrorCode::relay_unreachable;
}

void Client::Parts::finish(OperationId id, std::optional<ErrorCode> error) {
  auto node = operations.extract(id);
  if (node.mapped().ends_at) operation_ends.erase({*node.mapped().ends_at, id});
  node.mapped().outcome.error = error;
  effects.push_always(Finished{id, std::move(node.mapped().outcome)});
}

void Client::Parts::fail(Moment now, Exchange const& exchange, ErrorCode error) {
  Relay& relay = relays[exchange.relay];
  relay.health.on_failure(now.instant, settings.back_off, *entropy);
  relay.last_error = error;
  // That a put met another packet stays true when the relay does not show it.
  if (exchange.conflict) return end_exchange(now, exchange, *exchange.conflict, std::nullopt);
  end_exchange(now, exchange, RelayVerdict::failed, error);
}

Client::Client(ClientSettings const& settings, engine::Entropy& entropy)
    : parts_(std::make_unique<Parts>(settings, entropy)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<void> Client::set_relays(std::vector<std::string> const& urls) {
  if (urls.size() > parts_->settings.relays_max) {
    return base::fail(ErrorCode::number_out_of_range,
                      "at most " + std::to_string(parts_->settings.relays_max) + " relays");
  }
  std::vector<Relay> relays;
  for (std::string const& url : urls) {
    auto parsed = parse_relay_url(url);
    if (!parsed) return tl::unexpected(parsed.error());
    auto const same = [&](Relay const& relay) { return relay.url == *parsed; };
    if (std::any_of(relays.begin(), relays.end(), same)) continue;
    auto const known = std::find_if(parts_->relays.begin(), parts_->relays.end(), same);
    relays.push_back(known == parts_->relays.end() ? Relay{std::move(*parsed), {}, {}} : *known);
  }
  while (!parts_->operations.empty()) cancel(parts_->operations.begin()->first);
  for (auto const& [id, exchange] : parts_->exchanges) {
    parts_->effects.push_always(CancelFetch{id});
  }
  parts_->exchanges.clear();
  parts_->deadlines.clear();
  parts_->relays = std::move(relays);
  return {};
}

Result<OperationId> Client::get(Moment now, PublicKey const& key, GetOptions const& options) {
  Operation operation;
  operation.method = Method::get;
  operation.key = key;
  operation.get_options = options;
  return parts_->start(now, std::move(operation));
}

Result<OperationId> Client::put(Moment now, SignedPacket const& packet, PutOptions const& options) {
  Operation operation;
  operation.method = Method::put;
  operation.key = packet.key();
  operation.packet = packet;
  operation.put_options = options;
  return parts_->start(now, std::move(operation));
}

void Client::cancel(OperationId id) {
  if (parts_->find_operation(id) == nullptr) return;
  for (auto at = parts_->exchanges.begin(); at != parts_->exchanges.end();) {
    if (at->second.operation != id) {
      ++at;
      continue;
    }
    parts_->effects.push_always(CancelFetch{at->first});
    parts_->deadlines.erase({at->second.deadline, at->first});
    at = parts_->exchanges.erase(at);
  }
  parts_->finish(id, ErrorCode::cancelled);
}

void Client::on_fetched(Moment now, FetchId id, FetchResult const& result) {
  auto const exchange = parts_->take(id);
  if (exchange) parts_->on_answer(now, *exchange, result);
}

void Client::on_fetch_failed(Moment now, FetchId id, FetchFailure failure) {
  auto const exchange = parts_->take(id);
  if (!exchange) return;
  ErrorCode error = ErrorCode::relay_unreachable;
  if (failure == FetchFailure::timed_out) error = ErrorCode::relay_timeout;
  if (failure == FetchFailure::malformed) error = ErrorCode::relay_response_malformed;
  if (failure == FetchFailure::too_large) error = ErrorCode::relay_response_too_large;
  if (failure == FetchFailure::redirected) error = ErrorCode::relay_redirected;
  parts_->fail(now, *exchange, error);
}

void Client::on_deadline(Moment now) {
  while (!parts_->deadlines.empty() && parts_->deadlines.begin()->first <= now.instant) {
    FetchId const id = parts_->deadlines.begin()->second;
    parts_->effects.push_always(CancelFetch{id});
    auto const exchange = parts_->take(id);
    parts_->fail(now, *exchange, ErrorCode::relay_timeout);
  }
  auto& ends = parts_->operation_ends;
  while (!ends.empty() && ends.begin()->first <= now.instant) {
    OperationId const id = ends.begin()->second;
    parts_->finish(id, Parts::verdict_of(*parts_->find_operation(id)));
  }
}

std::optional<ClientEffect> Client::poll_effect() {
  return parts_->effects.poll();
}

std::optional<Instant> Client::next_deadline() const {
  std::optional<Instant> out;
  if (!parts_->deadlines.empty()) out = parts_->deadlines.begin()->first;
  auto const& ends = parts_->operation_ends;
  if (!ends.empty() && (!out || ends.begin()->first < *out)) out = ends.begin()->first;
  return out;
}

std::vector<RelayStatus> Client::status() const {
  std::vector<RelayStatus> out;
  for (Relay const& relay : parts_->relays) {
    out.push_back({relay.url, relay.health, relay.last_error});
  }
  return out;
}

bool Client::has_relays() const {
  return !parts_->relays.empty();
}

}  // namespace dotkey::relay
