// SPDX-License-Identifier: Apache-2.0
// What the relay's responses look like (pkarr v7 §GET and §PUT, RFC 9110, Fetch's CORS).
#include <algorithm>
#include <charconv>

#include "core/base/text.h"
#include "core/relay/server.h"

namespace dotkey::relay {

namespace {

constexpr std::size_t signature_at = 32;
constexpr std::size_t response_size_usual = 1024;
// A clock may be ahead of another by this without anybody having set it back.
constexpr Duration clock_tolerance = Duration::from_s(60);

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  auto const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

void append_field(std::string& out, std::string_view name, std::uint64_t value) {
  out += name;
  out += ": ";
  append_number(out, value);
  out += "\r\n";
}

// The weak comparison of RFC 9110 §13.1.2: a list of tags, or "*".
bool names_tag(std::string_view list, std::string_view tag) {
  if (list == "*") return true;
  while (!list.empty()) {
    std::size_t const comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == tag) return true;
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return false;
}

bool is_token_list(std::string_view text) {
  return !text.empty() && text.size() <= 512 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == ',' || c == ' ';
  });
}

}  // namespace

std::string_view reason_of(std::uint16_t status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "";
  }
}

void append_http1(std::string& out, Response const& response) {
  out += "HTTP/1.1 ";
  append_number(out, response.status);
  out += ' ';
  out += reason_of(response.status);
  out += "\r\n";
  out += response.head;
  if (response.content_length) append_field(out, "content-length", *response.content_length);
  out += "\r\n";
}

void append_etag(std::string& out, ByteView canonical) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  append_number(out, static_cast<std::uint64_t>(record::timestamp_us_of(canonical)));
  out += '-';
  for (std::uint8_t const byte : canonical.subspan(signature_at, 8)) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  out += '"';
}

std::uint32_t PacketShelf::Entry::remaining_ttl_s(UnixTime now) const {
  if (last_seen - now > clock_tolerance) return 0;
  std::int64_t const left = (last_seen + Duration::from_s(ttl_s) - now).us / 1'000'000;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 0, ttl_s));
}

// Every response, refusals included, carries the CORS headers, or a page would see no more of it
// than that the network failed. There is nothing here that cookies would open.
void Server::begin(Response& out, Context const& context, std::uint16_t status) {
  out.status = status;
  out.head.clear();
  out.head.reserve(response_size_usual);
  out.body.clear();
  out.content_length.reset();
  if (status >= 500) ++counters_.server_errors;
  if (status >= 400 && status < 500) ++counters_.client_errors;
  if (context.origin.empty()) {
    append_field(out.head, "access-control-allow-origin", "*");
  } else {
    append_field(out.head, "access-control-allow-origin", context.origin);
    append_field(out.head, "access-control-allow-credentials", "true");
  }
  out.head +=
      "vary: origin\r\n"
      "access-control-expose-headers: pkarr-invalid-signed-packet-seq, pkarr-dht-stored-nodes, "
      "memento-datetime, last-modified, etag, retry-after\r\n";
  if (context.allowance) {
    append_field(out.head, "x-ratelimit-limit", context.allowance->limit);
    append_field(out.head, "x-ratelimit-remaining", context.allowance->remaining);
  }
}

void Server::write_text(Response& out, Context const& context, std::uint16_t status,
                        std::string_view text) {
  begin(out, context, status);
  out.head +=
      "content-type: text/plain; charset=utf-8\r\n"
      "cache-control: no-store\r\n";
  out.content_length = text.size();
  if (!context.head_only) base::append(out.body, text);
}

void Server::write_empty(Response& out, Context const& context, std::uint16_t status) {
  begin(out, context, status);
  append_field(out.head, "cache-control", "no-store");
  if (status != 204) out.content_length = 0;
}

void Server::write_preflight(Response& out, Context const& context, Request const& request) {
  begin(out, context, 204);
  auto const wanted = find_header(request.headers, "access-control-request-headers");
  append_field(out.head, "allow", "GET, HEAD, PUT, OPTIONS");
  append_field(out.head, "access-control-allow-methods", "GET, HEAD, PUT");
  append_field(out.head, "access-control-allow-headers",
               wanted && is_token_list(*wanted)
                   ? *wanted
                   : "if-match, if-none-match, if-modified-since, cache-control, content-type");
  append_field(out.head, "access-control-max-age", 86'400);
}

void Server::write_rate_limit(Response& out, Context const& context, Allowance const& allowance,
                              std::string_view text) {
  ++counters_.rate_limited;
  Context limited = context;
  limited.allowance = allowance;
  write_text(out, limited, 429, text);
  append_field(out.head, "x-ratelimit-after", allowance.retry_after_s);
  append_field(out.head, "retry-after", allowance.retry_after_s);
}

void Server::write_packet(Moment now, Response& out, Context const& context,
                          Conditions const& conditions, PacketShelf::Entry const& entry) {
  std::int64_t const timestamp_us = record::timestamp_us_of(entry.canonical);
  std::string tag;
  append_etag(tag, entry.canonical);
  // The date has seconds, the packet microseconds: one stamped within that second is newer.
  bool const unchanged =
      conditions.if_none_match
          ? names_tag(*conditions.if_none_match, tag)
          : conditions.if_modified_since && timestamp_us <= conditions.if_modified_since->us;
  begin(out, context, unchanged ? 304 : 200);
  append_field(out.head, "content-type", payload_type);
  out.head += "cache-control: public, max-age=";
  append_number(out.head, entry.remaining_ttl_s(now.unix_time));
  out.head += "\r\nlast-modified: ";
  append_http_date(out.head, UnixTime{timestamp_us});
  out.head += "\r\nmemento-datetime: ";
  append_http_date(out.head, entry.last_seen);
  out.head += "\r\netag: ";
  out.head += tag;
  out.head += "\r\n";
  if (unchanged) {
    ++counters_.not_modified;
    return;
  }
  ByteView const payload = entry.canonical.subspan(PublicKey::size);
  out.content_length = payload.size();
  if (!context.head_only) base::append(out.body, payload);
}

void Server::write_resolve_answer(Moment now, Response& out, PendingGet const& get,
                                  ResolveAnswer const& answer) {
  switch (answer.verdict) {
    case ResolveVerdict::found:
      return write_packet(now, out, get.context, get.conditions,
                          {answer.packet->canonical(), answer.last_seen,
                           answer.packet->ttl_s(settings_.ttl_min_s, settings_.ttl_max_s)});
    case ResolveVerdict::not_found:
      return write_empty(out, get.context, 404);
    case ResolveVerdict::invalid_packet: {
      std::string const timestamp = std::to_string(answer.invalid_timestamp);
      write_text(out, get.context, 404,
                 "DHT mutable item at seq " + timestamp + " is not a valid signed packet");
      return append_field(out.head, invalid_sequence_header, timestamp);
    }
    case ResolveVerdict::no_nodes:
      return write_text(out, get.context, 503, "No DHT nodes were queried");
    case ResolveVerdict::no_responses:
      return write_text(out, get.context, 503, "No queried DHT nodes responded");
    case ResolveVerdict::no_usable_responses:
      return write_text(out, get.context, 503, "No responded DHT nodes returned usable response");
  }
}

void Server::write_publish_answer(Response& out, Context const& context,
                                  PublishAnswer const& answer) {
  switch (answer.verdict) {
    case PublishVerdict::stored:
      write_empty(out, context, 204);
      return append_field(out.head, stored_nodes_header, answer.dht_nodes);
    case PublishVerdict::newer_exists:
      return write_text(out, context, 409, "The DHT holds a newer packet");
    case PublishVerdict::cas_mismatch:
      return write_text(out, context, 412, "Another packet was published meanwhile");
    case PublishVerdict::failed:
      return write_text(out, context, 500, "The DHT did not store the packet");
  }
}

}  // namespace dotkey::relay
