// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/answer.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/base/assert.h"
#include "core/base/integers.h"

namespace dotkey::bridge {
namespace {

namespace dns = wire::dns;

constexpr std::size_t opt_fixed_size = 11;
constexpr std::uint32_t stale_ttl_s = 30;  // RFC 8767 §4

// Where each record's TTL stands in a message that we encoded ourselves.
std::vector<std::uint16_t> find_ttls(ByteView message, std::size_t at, std::size_t count) {
  std::vector<std::uint16_t> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    while (message[at] != 0 && message[at] < 0xc0) at += 1U + message[at];
    at += message[at] == 0 ? 1U : 2U;
    out.push_back(static_cast<std::uint16_t>(at + 4));
    at += std::size_t{10} + base::read_be<std::uint16_t>(message, at + 8);
  }
  return out;
}

// The OPT record of one reply; writes from `at` on.
class OptWriter {
 public:
  OptWriter(std::uint8_t* out, Query const& query, dns::ResponseCode code) : out_(out) {
    out_[0] = 0;
    base::write_be(out_ + 1, static_cast<std::uint16_t>(dns::RecordType::opt));
    base::write_be(out_ + 3, udp_size_own);
    out_[5] = static_cast<std::uint8_t>(static_cast<unsigned>(code) >> 4);
    out_[6] = 0;
    base::write_be(out_ + 7, static_cast<std::uint16_t>(query.dnssec_ok ? 0x8000 : 0));
    size_ = opt_fixed_size;
  }

  std::uint8_t* add(std::uint16_t code, std::size_t size) {
    std::uint8_t* const value = out_ + size_ + 4;
    base::write_be(out_ + size_, code);
    base::write_be(out_ + size_ + 2, static_cast<std::uint16_t>(size));
    size_ += 4 + size;
    return value;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  std::size_t finish() {
    base::write_be(out_ + 9, static_cast<std::uint16_t>(size_ - opt_fixed_size));
    return size_;
  }

 private:
  std::uint8_t* out_;
  std::size_t size_ = 0;
};

std::size_t opt_size(Query const& query, ReplyOptions const& options) {
  if (!query.has_edns) return 0;
  return opt_fixed_size + (options.cookie ? 4 + options.cookie->size() : 0) +
         (options.keepalive ? 6 : 0);
}

// Of RFC 8914's option; 0 without.
std::size_t extended_size(Query const& query, Answer const& answer) {
  if (!query.has_edns || answer.extended_error == ExtendedError::none) return 0;
  return 6 + answer.extended_text.size();
}

void patch_ttls(Answer const& answer, Instant now, std::uint8_t* body) {
  auto const age_s =
      static_cast<std::uint32_t>(std::max<std::int64_t>((now - answer.born).us / 1'000'000, 0));
  for (std::uint16_t const at : answer.ttl_offsets) {
    std::uint32_t const ttl_s = base::read_be<std::uint32_t>(answer.body, at);
    std::uint32_t const left_s = ttl_s > age_s ? ttl_s - age_s : 0;
    base::write_be(body + at, left_s);
  }
}

}  // namespace

Answer Answer::of_code(dns::ResponseCode code, ExtendedError extended_error,
                       std::string extended_text) {
  Answer out;
  out.code = code;
  out.extended_error = extended_error;
  out.extended_text = std::move(extended_text);
  return out;
}

base::Result<Answer> Answer::from(dns::Message const& message, Instant now) {
  DOTKEY_ASSERT(message.questions.size() == 1 && !message.edns);
  // Room for the largest OPT record that write_reply() makes.
  constexpr std::size_t opt_size_max = 512;
  auto const bytes = dns::encode_message(message, dns::message_size_max - opt_size_max);
  if (!bytes) return tl::unexpected(bytes.error());
  std::size_t const body_at = dns::header_size + message.questions.front().name.wire().size() + 4;
  Answer out;
  out.authoritative = message.authoritative;
  out.code = message.code;
  out.born = now;
  std::size_t count = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    out.counts[i] = base::read_be<std::uint16_t>(*bytes, 6 + 2 * i);
    count += out.counts[i];
  }
  out.ttl_offsets = find_ttls(*bytes, body_at, count);
  for (std::uint16_t& at : out.ttl_offsets) at = static_cast<std::uint16_t>(at - body_at);
  out.body = base::to_bytes(ByteView(*bytes).subspan(body_at));
  return out;
}

Answer Answer::as_stale(Instant now, Duration lifetime) const {
  Answer out = *this;
  out.born = now;
  out.expires = now + lifetime;
  bool const nothing = code == dns::ResponseCode::name_error;
  out.extended_error = nothing ? ExtendedError::stale_name_error : ExtendedError::stale_answer;
  out.extended_text.clear();
  for (std::uint16_t const at : ttl_offsets) base::write_be(out.body.data() + at, stale_ttl_s);
  return out;
}

std::uint32_t freshness_s(ByteView reply) {
  if (reply.size() < dns::header_size) return 0;
  unsigned const code = reply[3] & 15U;
  bool const is_answer = code == static_cast<unsigned>(dns::ResponseCode::no_error) ||
                         code == static_cast<unsigned>(dns::ResponseCode::name_error);
  if (!is_answer) return 0;
  auto const message = dns::parse_message(reply, dns::rules_for_sockets);
  if (!message) return 0;
  std::uint32_t out = std::numeric_limits<std::uint32_t>::max();
  for (auto const* section : {&message->answers, &message->authorities}) {
    for (dns::ResourceRecord const& record : *section) out = std::min(out, record.ttl_s);
  }
  return out == std::numeric_limits<std::uint32_t>::max() ? 0 : out;
}

std::size_t Answer::memory_size() const {
  return sizeof(Answer) + body.size() + 2 * ttl_offsets.size() + extended_text.size();
}

bool fits(Query const& query, Answer const& answer, ReplyOptions const& options) {
  std::size_t const size = dns::header_size + query.question_size + answer.body.size();
  return !options.truncated && size + opt_size(query, options) <= options.size_max;
}

std::size_t write_reply(Query const& query, Answer const& answer, Instant now,
                        ReplyOptions const& options, std::span<std::uint8_t> message) {
  std::size_t const question_end = dns::header_size + query.question_size;
  std::size_t const edns_size = opt_size(query, options);
  std::size_t const error_size = extended_size(query, answer);
  std::size_t const size_max = std::min(options.size_max, message.size());
  DOTKEY_ASSERT(question_end + edns_size <= message.size());
  bool const whole =
      !options.truncated && question_end + answer.body.size() + edns_size <= size_max;

  std::uint8_t* const out = message.data();
  unsigned flags = flag_response | flag_recursion_available;
  // The opcode too: an error about it repeats it.
  flags |= query.flags & (opcode_mask | flag_recursion_desired | flag_checking_disabled);
  flags |= static_cast<unsigned>(answer.code) & 15;
  if (answer.authoritative) flags |= flag_authoritative;
  if (!whole) flags |= flag_truncated;
  base::write_be(out + 2, static_cast<std::uint16_t>(flags));
  base::write_be(out + 4, static_cast<std::uint16_t>(query.question_size > 0 ? 1 : 0));
  base::write_be(out + 6, whole ? answer.counts[0] : std::uint16_t{0});
  base::write_be(out + 8, whole ? answer.counts[1] : std::uint16_t{0});
  unsigned const additionals = (whole ? answer.counts[2] : 0U) + (query.has_edns ? 1U : 0U);
  base::write_be(out + 10, static_cast<std::uint16_t>(additionals));

  std::size_t size = question_end;
  if (whole && !answer.body.empty()) {
    std::memcpy(out + size, answer.body.data(), answer.body.size());
    patch_ttls(answer, now, out + size);
    size += answer.body.size();
  }
  if (!query.has_edns) return size;

  OptWriter opt(out + size, query, answer.code);
  if (options.cookie) {
    std::uint8_t* const value = opt.add(option_code::cookie, options.cookie->size());
    std::copy(options.cookie->begin(), options.cookie->end(), value);
  }
  if (options.keepalive) {
    base::write_be(opt.add(option_code::keepalive, 2), *options.keepalive);
  }
  if (error_size > 0 && size + opt.size() + error_size <= size_max) {
    std::uint8_t* const value = opt.add(option_code::extended_error, error_size - 4);
    base::write_be(value, static_cast<std::uint16_t>(answer.extended_error));
    std::copy(answer.extended_text.begin(), answer.extended_text.end(), value + 2);
  }
  if (options.padding_block > 0) {
    std::size_t const bare = size + opt.size() + 4;
    std::size_t const block = options.padding_block;
    std::size_t const padded = std::min((bare + block - 1) / block * block, size_max);
    if (padded >= bare) {
      std::memset(opt.add(option_code::padding, padded - bare), 0, padded - bare);
    }
  }
  return size + opt.finish();
}

}  // namespace dotkey::bridge
