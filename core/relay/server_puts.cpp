// SPDX-License-Identifier: Apache-2.0
// The server's half that takes packets. Whatever the conditions compare with is looked at and
// changed within Commons::with_puts(), so that of two servers at most one accepts.
#include <algorithm>

#include "core/base/integers.h"
#include "core/base/text.h"
#include "core/relay/server.h"
#include "core/relay/target.h"

namespace dotkey::relay {

using base::Result;

namespace {

constexpr std::size_t clients_of_a_put_max = 64;

}  // namespace

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
  PutTerms terms{std::move(context), *key, request.client};
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
  if (!packet) {
    write_text(out, terms.context, 400, base::advice_for(packet.error().code));
    return std::nullopt;
  }
  PublicKey const key = terms.key;
  std::optional<TicketId> id;
  commons_->with_puts(key, [&](Commons::Puts& under_way) {
    id = judge_put(now, std::move(terms), *packet, under_way, out);
  });
  return id;
}

std::optional<TicketId> Server::judge_put(Moment now, PutTerms terms, SignedPacket const& packet,
                                          Commons::Puts& under_way, Response& out) {
  auto const held = shelf_->find(terms.key);
  if (!meets_condition(terms, held, out)) return std::nullopt;
  // Equal packets may pass: republishing keeps a key alive.
  if (held && !record::is_more_recent(packet.canonical(), held->canonical) &&
      !base::equal(packet.canonical(), held->canonical)) {
    write_text(out, terms.context, 409, "This relay holds a newer packet");
    return std::nullopt;
  }
  if (!under_way.empty()) {
    PutUnderWay const& newest = under_way.back();
    if (newest.packet == packet) {
      if (auto const joined = join_put(terms, newest)) return joined;
    } else if (!may_follow(terms, packet, newest.packet, out)) {
      return std::nullopt;
    }
  }
  if (is_full(terms.context, out) ||
      is_refused_by_dht_quota(now, terms.client, terms.context, out)) {
    return std::nullopt;
  }
  TicketId const id = terms.id ? *terms.id : next_ticket();
  under_way.push_back({packet, this, id});
  puts_.emplace(id, PendingPut{packet, {id}});
  put_clients_.emplace(id, std::move(terms.context));
  effects_.push_always(PublishWanted{id, packet, terms.cas_us});
  return id;
}

// A number as older clients send it, or the tag that a GET gave.
bool Server::meets_condition(PutTerms& terms, std::optional<PacketShelf::Entry> const& held,
                             Response& out) {
  if (!terms.if_match) return true;
  std::string const& condition = *terms.if_match;
  std::string tag;
  if (held) append_etag(tag, held->canonical);
  terms.cas_us = base::parse_decimal<std::int64_t>(condition);
  bool const is_tag = condition.starts_with('"') || condition == "*";
  if (!terms.cas_us && !is_tag) {
    write_text(out, terms.context, 400, "If-Match is the timestamp of the packet to replace");
    return false;
  }
  bool const matches = terms.cas_us
                           ? !held || record::timestamp_us_of(held->canonical) == *terms.cas_us
                           : held && (condition == "*" || condition == tag);
  if (!matches) {
    write_text(out, terms.context, 412, "Another packet was published meanwhile");
    return false;
  }
  if (!terms.cas_us) terms.cas_us = record::timestamp_us_of(held->canonical);
  return true;
}

// While another packet of the key is on its way, its timestamp is what If-Match must name.
bool Server::may_follow(PutTerms const& terms, SignedPacket const& packet,
                        SignedPacket const& under_way, Response& out) {
  std::uint16_t status = 412;
  if (!packet.is_more_recent_than(under_way)) {
    status = 409;
  } else if (!terms.cas_us) {
    status = 428;
  } else if (*terms.cas_us == under_way.timestamp_us()) {
    return true;
  }
  write_text(out, terms.context, status, "Another packet of this key is being published");
  return false;
}

// The same packet, put by this server: one answer for all who put it.
std::optional<TicketId> Server::join_put(PutTerms& terms, PutUnderWay const& put) {
  if (put.server != this || pending() >= settings_.pending_max) return std::nullopt;
  auto& clients = puts_.at(put.id).clients;
  if (clients.size() >= clients_of_a_put_max) return std::nullopt;
  TicketId const id = terms.id ? *terms.id : next_ticket();
  clients.push_back(id);
  put_clients_.emplace(id, std::move(terms.context));
  return id;
}

void Server::on_published(Moment now, TicketId id, PublishAnswer const& answer) {
  auto const found = puts_.extract(id);
  if (found.empty()) return;
  PendingPut const& put = found.mapped();
  // On the shelf before it is under way no longer: nobody may miss it in between.
  if (answer.verdict == PublishVerdict::stored) shelf_->put(now, put.packet);
  commons_->with_puts(put.packet.key(), [&](Commons::Puts& under_way) {
    std::erase_if(under_way,
                  [&](PutUnderWay const& one) { return one.server == this && one.id == id; });
  });
  for (TicketId const client : put.clients) {
    auto const context = put_clients_.extract(client);
    if (context.empty()) continue;
    Response response;
    write_publish_answer(response, context.mapped(), answer);
    effects_.push_always(ResponseReady{client, std::move(response)});
  }
}

}  // namespace dotkey::relay
