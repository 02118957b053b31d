// SPDX-License-Identifier: Apache-2.0
#include "core/relay/server.h"

#include <algorithm>

#include "core/base/integers.h"
#include "core/base/text.h"
#include "core/names/public_key.h"

namespace dotkey::relay {

using base::ErrorCode;
using base::Result;

namespace {

constexpr std::size_t target_size_max = 2048;
constexpr std::size_t origin_size_max = 256;
constexpr std::size_t clients_of_a_put_max = 64;

std::optional<std::uint8_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

// Percent-encoding undone (RFC 3986 §2.1); nullopt when it is malformed.
std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    auto const high = hex_digit(text[i + 1]);
    auto const low = hex_digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    out += static_cast<char>(*high << 4 | *low);
    i += 2;
  }
  return out;
}

// The 32 bytes that a bare key spells, on the curve or not.
std::optional<PublicKey> spelled_key(std::string_view segment) {
  if (segment.size() != names::key_text_size) return std::nullopt;
  auto const bytes = base::parse_zbase32(segment);
  return bytes ? PublicKey::from(*bytes) : std::nullopt;
}

Result<PublicKey> parse_segment(std::string_view segment) {
  auto const text = decode_percent(segment);
  if (!text) return base::fail(ErrorCode::key_malformed, "the percent-encoding is malformed");
  return names::parse_public_key(*text);
}

// The parameter's value; Policy::cache_first without one, nullopt for a value unknown.
std::optional<Policy> policy_of(std::string_view query) {
  while (!query.empty()) {
    std::size_t const end = query.find('&');
    std::string_view const pair = query.substr(0, end);
    if (pair.starts_with("policy=")) return parse_policy(pair.substr(7));
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
  }
  return Policy::cache_first;
}

bool is_more_recent(SignedPacket const& packet, ByteView than) {
  auto const other = base::read_be<std::uint64_t>(than, 96);
  auto const mine = static_cast<std::uint64_t>(packet.timestamp_us());
  if (mine != other) return mine > other;
  return base::compare(packet.dns(), than.subspan(SignedPacket::header_size)) ==
         std::strong_ordering::greater;
}

std::int64_t timestamp_of(ByteView canonical) {
  return static_cast<std::int64_t>(base::read_be<std::uint64_t>(canonical, 96));
}

// One segment behind the first slash, then perhaps a query.
struct Target {
  std::string_view segment;
  std::string_view query;
};
std::optional<Target> split_target(std::string_view target) {
  if (target.size() > target_size_max || !target.starts_with('/')) return std::nullopt;
  std::size_t const mark = target.find('?');
  Target out;
  out.segment = target.substr(1, mark == std::string_view::npos ? mark : mark - 1);
  if (mark != std::string_view::npos) out.query = target.substr(mark + 1);
  if (out.segment.empty() || out.segment.find('/') != std::string_view::npos) return std::nullopt;
  return out;
}

}  // namespace

Server::Server(ServerSettings const& settings, PacketShelf& shelf, std::uint64_t hash_key)
    : settings_(settings), shelf_(&shelf) {
  if (settings_.quota) limits_.emplace(*settings_.quota, hash_key);
  if (settings_.dht_quota) dht_limits_.emplace(*settings_.dht_quota, hash_key);
}

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
  if (!limits_) return true;
  Allowance const allowance = limits_->take(now.instant, request.client);
  if (allowance.allowed) return true;
  write_rate_limit(out, context_of(request), allowance, "Too many requests");
  return false;
}

std::optional<TicketId> Server::on_request(Moment now, Request const& request, Response& out) {
  Context context = context_of(request);
  // Preflights are the browser's doing, not the page's: they cost nothing.
  if (request.method == "OPTIONS") {
    write_preflight(out, context, request);
    return std::nullopt;
  }
  if (limits_) {
    context.allowance = limits_->take(now.instant, request.client);
    if (!context.allowance->allowed) {
      write_rate_limit(out, context, *context.allowance, "Too many requests");
      return std::nullopt;
    }
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
  if (!dht_limits_) return false;
  Allowance const allowance = dht_limits_->take(now.instant, client);
  if (allowance.allowed) return false;
  write_rate_limit(out, context, allowance, "Too many requests to DHT nodes");
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

std::optional<TicketId> Server::on_put(Moment now, Request const& request, Context context,
                                       std::string_view segment, Response& out) {
  if (request.body.size() > payload_size_max) {
    write_text(out, context, 413, "A signed packet has at most 1072 bytes here");
    return std::nullopt;
  }
  // A bare key is not checked for being on the curve: its packet's signature proves it.
  auto const spelled = spelled_key(segment);
  auto const key = spelled ? Result<PublicKey>(*spelled) : parse_segment(segment);
  if (!key) {
    write_text(out, context, 400, base::advice_for(key.error().code));
    return std::nullopt;
  }
  PutTerms terms{std::move(context), *key, request.client, std::nullopt, std::nullopt, false};
  if (auto const condition = find_header(request.headers, "if-match")) terms.if_match = *condition;
  if (!settings_.verify_elsewhere) {
    return accept_put(now, std::move(terms), SignedPacket::parse_relay_payload(*key, request.body),
                      out);
  }
  if (is_full(terms.context, out)) return std::nullopt;
  TicketId const id = next_ticket();
  terms.id = id;
  checks_.emplace(id, std::move(terms));
  effects_.push_always(VerifyWanted{id, *key, base::to_bytes(request.body)});
  return id;
}

void Server::on_verified(Moment now, TicketId id, Result<SignedPacket> packet) {
  auto check = checks_.extract(id);
  if (check.empty() || check.mapped().abandoned) return;
  Response response;
  if (!accept_put(now, std::move(check.mapped()), std::move(packet), response)) {
    effects_.push_always(ResponseReady{id, std::move(response)});
  }
}

std::optional<TicketId> Server::accept_put(Moment now, PutTerms terms, Result<SignedPacket> packet,
                                           Response& out) {
  Context const& context = terms.context;
  if (!packet) {
    write_text(out, context, 400, base::advice_for(packet.error().code));
    return std::nullopt;
  }
  std::optional<std::int64_t> cas_us;
  auto const entry = shelf_->find(terms.key);
  if (auto const& condition = terms.if_match) {
    // A number as older clients send it, or the tag that a GET gave.
    std::string tag;
    if (entry) append_etag(tag, entry->canonical);
    cas_us = base::parse_decimal<std::int64_t>(*condition);
    bool const is_tag = condition->starts_with('"') || *condition == "*";
    if (!cas_us && !is_tag) {
      write_text(out, context, 400, "If-Match is the timestamp of the packet to replace");
      return std::nullopt;
    }
    bool const matches = cas_us ? !entry || timestamp_of(entry->canonical) == *cas_us
                                : entry && (*condition == "*" || *condition == tag);
    if (!matches) {
      write_text(out, context, 412, "Another packet was published meanwhile");
      return std::nullopt;
    }
    if (!cas_us) cas_us = timestamp_of(entry->canonical);
  }
  // Equal packets may pass: republishing keeps a key alive.
  if (entry && !is_more_recent(*packet, entry->canonical) &&
      !base::equal(packet->canonical(), entry->canonical)) {
    write_text(out, context, 409, "This relay holds a newer packet");
    return std::nullopt;
  }
  return start_put(now, std::move(terms), std::move(*packet), cas_us, out);
}

// While another packet of the key is on its way, its timestamp is what If-Match must name.
std::optional<TicketId> Server::start_put(Moment now, PutTerms terms, SignedPacket packet,
                                          std::optional<std::int64_t> cas_us, Response& out) {
  Context& context = terms.context;
  auto const under_way = puts_of_keys_.find(packet.key());
  if (under_way != puts_of_keys_.end()) {
    PendingPut& other = puts_.at(under_way->second);
    if (other.packet == packet && other.clients.size() < clients_of_a_put_max &&
        pending() < settings_.pending_max) {
      TicketId const id = terms.id ? *terms.id : next_ticket();
      other.clients.push_back(id);
      put_clients_.emplace(id, std::move(context));
      return id;
    }
    if (!(other.packet == packet)) {
      std::uint16_t status = 0;
      if (!packet.is_more_recent_than(other.packet)) {
        status = 409;
      } else if (!cas_us) {
        status = 428;
      } else if (*cas_us != other.packet.timestamp_us()) {
        status = 412;
      }
      if (status != 0) {
        write_text(out, context, status, "Another packet of this key is being published");
        return std::nullopt;
      }
    }
  }
  if (is_full(context, out) || is_refused_by_dht_quota(now, terms.client, context, out)) {
    return std::nullopt;
  }
  TicketId const id = terms.id ? *terms.id : next_ticket();
  puts_of_keys_.insert_or_assign(packet.key(), id);
  puts_.emplace(id, PendingPut{packet, {id}});
  put_clients_.emplace(id, std::move(context));
  effects_.push_always(PublishWanted{id, std::move(packet), cas_us});
  return id;
}

void Server::on_resolved(Moment now, TicketId id, ResolveAnswer const& answer) {
  auto const found = gets_.extract(id);
  if (found.empty()) return;
  Response response;
  write_resolve_answer(now, response, found.mapped(), answer);
  effects_.push_always(ResponseReady{id, std::move(response)});
}

void Server::on_published(Moment now, TicketId id, PublishAnswer const& answer) {
  auto const found = puts_.extract(id);
  if (found.empty()) return;
  PendingPut const& put = found.mapped();
  auto const newest = puts_of_keys_.find(put.packet.key());
  if (newest != puts_of_keys_.end() && newest->second == id) puts_of_keys_.erase(newest);
  if (answer.verdict == PublishVerdict::stored) shelf_->put(now, put.packet);
  for (TicketId const client : put.clients) {
    auto const context = put_clients_.extract(client);
    if (context.empty()) continue;
    Response response;
    write_publish_answer(response, context.mapped(), answer);
    effects_.push_always(ResponseReady{client, std::move(response)});
  }
}

void Server::abandon(TicketId id) {
  gets_.erase(id);
  // The driver still has its work before it: it counts until that is done.
  auto const check = checks_.find(id);
  if (check != checks_.end()) check->second.abandoned = true;
  put_clients_.erase(id);
}

}  // namespace dotkey::relay
