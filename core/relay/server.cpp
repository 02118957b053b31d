// SPDX-License-Identifier: Apache-2.0
#include "core/relay/server.h"

#include <algorithm>

#include "core/relay/target.h"

namespace dotkey::relay {

namespace {

constexpr std::size_t origin_size_max = 256;

}  // namespace

Server::Server(ServerSettings const& settings, PacketShelf& shelf, Commons& commons)
    : settings_(settings), shelf_(&shelf), commons_(&commons) {}

TicketId Server::next_ticket() {
  return TicketId{++last_ticket_};
}

Server::Context Server::context_of(Request const& request) const {
  Context out;
  out.head_only = request.method == "HEAD";
  auto const origin = find_header(request.headers, "origin");
  bool const printable =
      origin && origin->size() <= origin_size_max &&
      std::all_of(origin->begin(), origin->end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (printable) out.origin = *origin;
  return out;
}

bool Server::admit(Moment now, Request const& request, Response& out) {
  auto const allowance = commons_->take(now.instant, request.client);
  if (!allowance || allowance->allowed) return true;
  write_rate_limit(out, context_of(request), *allowance, "Too many requests");
  return false;
}

std::optional<TicketId> Server::on_request(Moment now, Request const& request, Response& out) {
  Context context = context_of(request);
  // Preflights are the browser's doing, not the page's: they cost nothing.
  if (request.method == "OPTIONS") {
    write_preflight(out, context, request);
    return std::nullopt;
  }
  context.allowance = commons_->take(now.instant, request.client);
  if (context.allowance && !context.allowance->allowed) {
    write_rate_limit(out, context, *context.allowance, "Too many requests");
    return std::nullopt;
  }
  auto const target = split_target(request.target);
  if (!target) {
    write_text(out, context, 404, "No such page");
    return std::nullopt;
  }
  if (request.method == "GET" || request.method == "HEAD") {
    ++counters_.gets;
    return on_get(now, request, std::move(context), target->segment, target->query, out);
  }
  if (request.method == "PUT") {
    ++counters_.puts;
    return on_put(now, request, std::move(context), target->segment, out);
  }
  write_text(out, context, 405, "A key is asked for with GET and published with PUT");
  out.head += "allow: GET, HEAD, PUT, OPTIONS\r\n";
  return std::nullopt;
}

bool Server::is_refused_by_dht_quota(Moment now, base::IpAddress const& client,
                                     Context const& context, Response& out) {
  auto const allowance = commons_->take_dht(now.instant, client);
  if (!allowance || allowance->allowed) return false;
  write_rate_limit(out, context, *allowance, "Too many requests to DHT nodes");
  return true;
}

bool Server::is_full(Context const& context, Response& out) {
  if (pending() < settings_.pending_max) return false;
  write_text(out, context, 503, "Too many requests wait for the DHT");
  out.head += "retry-after: 2\r\n";
  return true;
}

std::optional<TicketId> Server::on_get(Moment now, Request const& request, Context context,
                                       std::string_view segment, std::string_view query,
                                       Response& out) {
  auto const policy = policy_of(query);
  if (!policy) {
    write_text(out, context, 400, "The policy is CacheOnly, CacheFirst or NetworkOnly");
    return std::nullopt;
  }
  Conditions conditions;
  if (auto const tags = find_header(request.headers, "if-none-match")) {
    conditions.if_none_match = *tags;
  } else if (auto const date = find_header(request.headers, "if-modified-since")) {
    conditions.if_modified_since = parse_http_date(*date, now.unix_time);
  }
  // The shelf holds nothing that is no key, so a hit needs no check of the curve.
  auto const spelled = spelled_key(segment);
  if (spelled && write_shelved(now, *spelled, *policy, context, conditions, out)) {
    return std::nullopt;
  }
  auto const key = parse_segment(segment);
  if (!key) {
    write_text(out, context, 400, base::advice_for(key.error().code));
    return std::nullopt;
  }
  if (!spelled && write_shelved(now, *key, *policy, context, conditions, out)) return std::nullopt;
  if (*policy == Policy::cache_only) {
    write_empty(out, context, 404);
    return std::nullopt;
  }
  if (is_full(context, out) || is_refused_by_dht_quota(now, request.client, context, out)) {
    return std::nullopt;
  }
  TicketId const id = next_ticket();
  gets_.emplace(id, PendingGet{std::move(context), std::move(conditions)});
  effects_.push_always(ResolveWanted{id, *key, *policy});
  return id;
}

bool Server::write_shelved(Moment now, PublicKey const& key, Policy policy, Context const& context,
                           Conditions const& conditions, Response& out) {
  if (policy == Policy::network_only) return false;
  auto const entry = shelf_->find(key);
  if (!entry) return false;
  if (policy == Policy::cache_first && !entry->is_fresh(now.unix_time)) return false;
  ++counters_.answered_from_cache;
  write_packet(now, out, context, conditions, *entry);
  return true;
}

void Server::on_resolved(Moment now, TicketId id, ResolveAnswer const& answer) {
  auto const found = gets_.extract(id);
  if (found.empty()) return;
  Response response;
  write_resolve_answer(now, response, found.mapped(), answer);
  effects_.push_always(ResponseReady{id, std::move(response)});
}

void Server::abandon(TicketId id) {
  gets_.erase(id);
  // The driver still has its work before it: it counts until that is done.
  auto const check = checks_.find(id);
  if (check != checks_.end()) check->second.abandoned = true;
  put_clients_.erase(id);
}

}  // namespace dotkey::relay
