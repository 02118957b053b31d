// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/bridge.h"

#include <algorithm>

#include "core/base/assert.h"

namespace dotkey::bridge {

namespace dns = wire::dns;
using dns::Name;
using dns::RecordType;
using dns::ResponseCode;

namespace {

constexpr std::size_t effects_max = 1 << 20;
constexpr std::size_t deadlines_at_once_max = 16;
// RFC 8467 §4.1.
constexpr std::size_t padding_block = 468;
constexpr std::uint16_t keepalive_100ms = 300;
// RFC 8767 §5: at most one to three days.
constexpr Duration stale_max = Duration::from_s(86'400);

// RFC 8482 §4.2: HINFO "RFC8482" "", owned by the name asked for.
Answer answer_to_any() {
  Answer out;
  out.counts[0] = 1;
  out.body = {0xc0, 12, 0, 13, 0, 1, 0, 0, 14, 16, 0, 9, 7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
  return out;
}

// Of what an address that may be forged sent, half as much again comes back at most.
std::size_t size_max_unproven(std::size_t query_size) {
  return query_size + query_size / 2;
}

ReplyOptions options_for(Transport transport, bool is_proven, Query const& query,
                         std::size_t query_size) {
  ReplyOptions out;
  if (transport == Transport::udp) {
    out.size_max = std::min(query.udp_size, udp_size_own);
    if (!is_proven) out.size_max = std::min(out.size_max, size_max_unproven(query_size));
    out.cookie_proves = !is_proven;
    return out;
  }
  out.size_max = dns::message_size_max;
  bool const is_stream = transport != Transport::https;
  if (is_stream && query.wants_keepalive) out.keepalive = keepalive_100ms;
  bool const is_encrypted = transport != Transport::tcp;
  if (is_encrypted && query.wants_padding) out.padding_block = padding_block;
  return out;
}

}  // namespace

Bridge::Bridge(BridgeSettings settings, engine::Entropy& entropy)
    : settings_(std::move(settings)),
      admission_(settings_.admission, entropy),
      secret_(entropy.next_u64()),
      cache_(settings_.cache),
      effects_(effects_max),
      malformed_(Answer::of_code(ResponseCode::format_error)),
      not_implemented_(Answer::of_code(ResponseCode::not_implemented)),
      bad_version_(Answer::of_code(ResponseCode::bad_version)),
      bad_cookie_(Answer::of_code(ResponseCode::bad_cookie)),
      denied_(Answer::of_code(ResponseCode::refused, ExtendedError::prohibited,
                              std::string(base::slug_of(base::ErrorCode::dns_client_denied)))),
      limited_answer_(
          Answer::of_code(ResponseCode::refused, ExtendedError::prohibited,
                          std::string(base::slug_of(base::ErrorCode::dns_client_limited)))),
      refused_(Answer::of_code(ResponseCode::refused, ExtendedError::not_supported)),
      busy_(Answer::of_code(ResponseCode::server_failure, ExtendedError::not_ready,
                            std::string(base::slug_of(base::ErrorCode::resolve_busy)))),
      any_(answer_to_any()) {}

Answer const* Bridge::standing_answer(Query const& query, QueryVerdict verdict) const {
  switch (verdict) {
    case QueryVerdict::not_implemented:
      return &not_implemented_;
    case QueryVerdict::bad_version:
      return &bad_version_;
    case QueryVerdict::no_question:
      return &empty_;
    case QueryVerdict::drop:
    case QueryVerdict::malformed:
      return &malformed_;
    case QueryVerdict::ok:
      break;
  }
  if (query.record_class != dns::RecordClass::in) return &refused_;
  if (query.type == RecordType::any) return &any_;
  if (query.type == RecordType::opt) return &malformed_;
  // RFC 6895 §3.1: 128 to 255 are no types of data; transfers among them. 0 is none at all.
  auto const type = static_cast<unsigned>(query.type);
  return type == 0 || (type >= 128 && type < 256) ? &refused_ : nullptr;
}

Answer const* Bridge::turn_away(Admitted admitted, Query const& query, ReplyOptions& options) {
  switch (admitted) {
    case Admitted::denied:
      ++counters_.denied;
      return &denied_;
    case Admitted::limited:
      ++counters_.limited;
      return &limited_answer_;
    case Admitted::slip:
      ++counters_.limited;
      options.truncated = query.cookie.empty();
      return options.truncated ? &empty_ : &bad_cookie_;
    case Admitted::yes:
    case Admitted::drop:
      break;
  }
  return nullptr;
}

std::optional<std::size_t> Bridge::on_query(Moment now, Sender const& sender, ClientId client,
                                            std::span<std::uint8_t> buffer, std::size_t size) {
  DOTKEY_ASSERT(size <= buffer.size());
  ByteView const message = buffer.first(size);
  Query query;
  QueryVerdict const verdict = parse_query(message, query);
  if (verdict == QueryVerdict::drop) return 0;
  ++counters_.queries;
  bool const is_proven = admission_.is_proven(sender, query, now);
  ReplyOptions options = options_for(sender.transport, is_proven, query, size);
  if (!query.cookie.empty()) {
    options.cookie = admission_.cookies().bake(query.cookie, sender.address, now.unix_time);
  }
  Admitted const admitted = admission_.admit(sender, is_proven, now);
  if (admitted == Admitted::drop) {
    ++counters_.limited;
    return 0;
  }
  if (Answer const* const known = turn_away(admitted, query, options)) {
    return write(query, *known, now.instant, options, buffer);
  }
  if (Answer const* const known = standing_answer(query, verdict)) {
    ++(known == &malformed_ ? counters_.malformed : counters_.refused);
    return write(query, *known, now.instant, options, buffer);
  }
  QuestionKey const key(message, query, secret_);
  Answer const* const cached = cache_.find(key);
  if (cached != nullptr && now.instant < cached->expires) {
    ++counters_.from_cache;
    return write(query, *cached, now.instant, options, buffer);
  }
  if (ask(now, client, query, key, options, message)) return std::nullopt;
  return write(query, busy_, now.instant, options, buffer);
}

std::size_t Bridge::write(Query const& query, Answer const& answer, Instant now,
                          ReplyOptions const& options, std::span<std::uint8_t> buffer) {
  if (answer.code == ResponseCode::name_error) ++counters_.name_errors;
  if (answer.code == ResponseCode::server_failure) ++counters_.failures;
  // The client can have it all with the cookie that comes with this (RFC 7873 §5.2.3).
  bool const wants_proof = options.cookie && options.cookie_proves && !fits(query, answer, options);
  Answer const& given = wants_proof ? bad_cookie_ : answer;
  std::size_t const size = write_reply(query, given, now, options, buffer);
  if ((buffer[2] & flag_truncated >> 8) != 0) ++counters_.truncated;
  return size;
}

bool Bridge::ask(Moment now, ClientId client, Query const& query, QuestionKey const& key,
                 ReplyOptions const& options, ByteView message) {
  if (waiting_ >= settings_.waiting_max) return false;
  auto at = numbers_.find(key);
  bool const is_new = at == numbers_.end();
  if (is_new) {
    if (questions_.size() >= settings_.questions_max) return false;
    auto name = Name::parse_wire(key.question().first(key.question().size() - 4));
    DOTKEY_ASSERT(name.has_value());
    auto const signatures = query.dnssec_ok ? Signatures::kept : Signatures::left_out;
    Number const number{++last_number_};
    at = numbers_.emplace(key, number).first;
    questions_.emplace(last_number_,
                       Question{key,
                                Chase(settings_.rules, std::move(*name), query.type, signatures),
                                TaskId{},
                                query.dnssec_ok,
                                query.checking_disabled(),
                                {}});
    deadlines_.emplace_back(now.instant + settings_.timeout, number);
  } else {
    ++counters_.joined;
  }
  Number const number = at->second;
  Question& question = questions_.at(static_cast<std::uint64_t>(number));
  Waiting waiting{client, query, options,
                  base::to_bytes(message.first(dns::header_size + query.question_size))};
  waiting.query.cookie = {};
  question.waiting.push_back(std::move(waiting));
  ++waiting_;
  if (is_new) go_on(now, number, question, question.chase.start());
  return true;
}

TaskId Bridge::add_task(Number number, Question& question) {
  tasks_.erase(static_cast<std::uint64_t>(question.task));
  question.task = TaskId{++last_task_};
  tasks_.emplace(last_task_, number);
  return question.task;
}

void Bridge::go_on(Moment now, Number number, Question& question, ChaseStep step) {
  if (std::holds_alternative<Done>(step)) return end(now, number);
  TaskId const id = add_task(number, question);
  if (auto const* const key = std::get_if<WantKey>(&step)) {
    effects_.push_always(ResolveKey{id, key->key});
  } else if (auto* const upstream = std::get_if<WantUpstream>(&step)) {
    effects_.push_always(AskUpstream{id, std::move(upstream->name), upstream->type,
                                     question.dnssec_ok, question.checking_disabled});
  } else {
    auto& servers = std::get<WantServers>(step);
    effects_.push_always(
        AskServers{id, std::move(servers.servers), std::move(servers.name), servers.type});
  }
}

void Bridge::on_outcome(Moment now, TaskId id, resolve::Outcome const& outcome) {
  auto const at = tasks_.find(static_cast<std::uint64_t>(id));
  if (at == tasks_.end()) return;
  Number const number = at->second;
  Question& question = questions_.at(static_cast<std::uint64_t>(number));
  go_on(now, number, question, question.chase.on_outcome(now, outcome));
}

void Bridge::on_message(Moment now, TaskId id, base::Result<dns::Message> const& message) {
  auto const at = tasks_.find(static_cast<std::uint64_t>(id));
  if (at == tasks_.end()) return;
  Number const number = at->second;
  Question& question = questions_.at(static_cast<std::uint64_t>(number));
  go_on(now, number, question, question.chase.on_message(message));
}

// Where nothing can be learned, what was true lately goes before an error (RFC 8767).
Answer Bridge::stale_instead(Answer answer, QuestionKey const& key, Instant now) {
  if (answer.code != ResponseCode::server_failure) return answer;
  Answer const* const old = cache_.find(key);
  bool const usable =
      old != nullptr && old->code != ResponseCode::server_failure && now < old->usable_until;
  return usable ? old->as_stale(now, answer.expires - now) : answer;
}

void Bridge::end(Moment now, Number number) {
  auto node = questions_.extract(static_cast<std::uint64_t>(number));
  Question& question = node.mapped();
  tasks_.erase(static_cast<std::uint64_t>(question.task));
  numbers_.erase(question.key);
  Answer answer = question.chase.take_answer(now.instant);
  answer.usable_until = answer.expires + stale_max;
  answer = stale_instead(std::move(answer), question.key, now.instant);
  waiting_ -= question.waiting.size();
  for (Waiting& waiting : question.waiting) {
    std::size_t const room = waiting.head.size() + answer.body.size() +
                             answer.extended_text.size() + reply_overhead_max +
                             waiting.options.padding_block;
    waiting.head.resize(std::min(
        room, std::max(waiting.options.size_max, waiting.head.size() + reply_overhead_max)));
    std::size_t const size =
        write(waiting.query, answer, now.instant, waiting.options, waiting.head);
    waiting.head.resize(size);
    effects_.push_always(Reply{waiting.client, std::move(waiting.head)});
  }
  if (answer.expires > now.instant) cache_.put(question.key, std::move(answer));
  while (!deadlines_.empty() &&
         !questions_.contains(static_cast<std::uint64_t>(deadlines_.front().second))) {
    deadlines_.pop_front();
  }
}

void Bridge::on_deadline(Moment now) {
  for (std::size_t i = 0; i < deadlines_at_once_max; ++i) {
    if (deadlines_.empty() || now.instant < deadlines_.front().first) return;
    Number const number = deadlines_.front().second;
    deadlines_.pop_front();
    auto const at = questions_.find(static_cast<std::uint64_t>(number));
    if (at != questions_.end()) go_on(now, number, at->second, at->second.chase.on_timeout());
  }
}

std::optional<Instant> Bridge::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.front().first;
}

}  // namespace dotkey::bridge
