// SPDX-License-Identifier: Apache-2.0
#include "core/wire/dns_message.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/integers.h"
#include "core/wire/dns_rdata.h"

namespace dotkey::wire::dns {
namespace {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;

// RFC 1035 §4.1.1, RFC 2535 §6.1 for AD and CD.
constexpr unsigned flag_response = 0x8000;
constexpr unsigned flag_authoritative = 0x0400;
constexpr unsigned flag_truncated = 0x0200;
constexpr unsigned flag_recursion_desired = 0x0100;
constexpr unsigned flag_recursion_available = 0x0080;
constexpr unsigned flag_reserved = 0x0040;
constexpr unsigned flag_authentic_data = 0x0020;
constexpr unsigned flag_checking_disabled = 0x0010;

constexpr std::size_t record_size_min = 11;  // root name, type, class, TTL, length
constexpr std::size_t question_size_min = 5;
constexpr std::uint16_t class_top_bit = 0x8000;  // RFC 6762 §10.2: cache-flush

auto malformed(char const* why) {
  return fail(ErrorCode::dns_malformed, why);
}

void set_flags(Message& out, unsigned flags) {
  out.response = (flags & flag_response) != 0;
  out.opcode = static_cast<Opcode>(flags >> 11 & 15);
  out.authoritative = (flags & flag_authoritative) != 0;
  out.truncated = (flags & flag_truncated) != 0;
  out.recursion_desired = (flags & flag_recursion_desired) != 0;
  out.recursion_available = (flags & flag_recursion_available) != 0;
  out.reserved = (flags & flag_reserved) != 0;
  out.authentic_data = (flags & flag_authentic_data) != 0;
  out.checking_disabled = (flags & flag_checking_disabled) != 0;
  out.code = static_cast<ResponseCode>(flags & 15);
}

unsigned flags_of(Message const& message) {
  unsigned flags = (static_cast<unsigned>(message.opcode) & 15) << 11;
  flags |= static_cast<unsigned>(message.code) & 15;
  if (message.response) flags |= flag_response;
  if (message.authoritative) flags |= flag_authoritative;
  if (message.truncated) flags |= flag_truncated;
  if (message.recursion_desired) flags |= flag_recursion_desired;
  if (message.recursion_available) flags |= flag_recursion_available;
  if (message.reserved) flags |= flag_reserved;
  if (message.authentic_data) flags |= flag_authentic_data;
  if (message.checking_disabled) flags |= flag_checking_disabled;
  return flags;
}

bool is_known_class(RecordClass record_class) {
  unsigned const value = static_cast<unsigned>(record_class) & ~unsigned{class_top_bit};
  return (value >= 1 && value <= 4) || value == 254;
}

class MessageParser {
 public:
  MessageParser(ByteView bytes, ParseRules const& rules) : bytes_(bytes), rules_(rules) {}

  Result<Message> parse() {
    if (bytes_.size() < header_size || bytes_.size() > message_size_max) {
      return malformed("a message has 12 to 65,535 bytes");
    }
    Message out;
    out.id = base::read_be<std::uint16_t>(bytes_, 0);
    set_flags(out, base::read_be<std::uint16_t>(bytes_, 2));
    if (out.reserved && !rules_.reserved_bit_allowed) return malformed("the reserved bit is set");
    std::size_t counts[4];
    for (std::size_t i = 0; i < 4; ++i) {
      counts[i] = base::read_be<std::uint16_t>(bytes_, 4 + 2 * i);
    }
    if (counts[0] + counts[1] + counts[2] + counts[3] > rules_.records_max) {
      return malformed("too many records");
    }
    at_ = header_size;
    if (auto done = questions(counts[0], out.questions); !done) return tl::unexpected(done.error());
    std::vector<ResourceRecord>* const sections[] = {&out.answers, &out.authorities,
                                                     &out.additionals};
    for (std::size_t i = 0; i < 3; ++i) {
      bool const holds_edns = sections[i] == &out.additionals;
      auto done = records(counts[i + 1], *sections[i], holds_edns ? &out : nullptr);
      if (!done) return tl::unexpected(done.error());
    }
    if (at_ != bytes_.size() && !rules_.trailing_bytes_allowed) {
      return malformed("bytes behind the last record");
    }
    return out;
  }

 private:
  [[nodiscard]] std::size_t rest() const { return bytes_.size() - at_; }

  Result<void> questions(std::size_t count, std::vector<Question>& out) {
    out.reserve(std::min(count, rest() / question_size_min));
    for (std::size_t i = 0; i < count; ++i) {
      auto name = NameReader(bytes_).read(at_, bytes_.size());
      if (!name) return tl::unexpected(name.error());
      if (rest() < 4) return malformed("a question is cut short");
      auto const type = static_cast<RecordType>(base::read_be<std::uint16_t>(bytes_, at_));
      auto const record_class =
          static_cast<RecordClass>(base::read_be<std::uint16_t>(bytes_, at_ + 2));
      at_ += 4;
      out.push_back({std::move(*name), type, record_class});
    }
    return {};
  }

  // `edns_owner` is the message when OPT records may stand here.
  Result<void> records(std::size_t count, std::vector<ResourceRecord>& out, Message* edns_owner) {
    out.reserve(std::min(count, rest() / record_size_min));
    for (std::size_t i = 0; i < count; ++i) {
      auto name = NameReader(bytes_).read(at_, bytes_.size());
      if (!name) return tl::unexpected(name.error());
      if (rest() < record_size_min - 1) return malformed("a record is cut short");
      auto const type = static_cast<RecordType>(base::read_be<std::uint16_t>(bytes_, at_));
      auto const record_class =
          static_cast<RecordClass>(base::read_be<std::uint16_t>(bytes_, at_ + 2));
      auto const ttl_s = base::read_be<std::uint32_t>(bytes_, at_ + 4);
      std::size_t const size = base::read_be<std::uint16_t>(bytes_, at_ + 8);
      at_ += record_size_min - 1;
      if (size > rest()) return malformed("a record's data is cut short");
      std::size_t const data_at = at_;
      at_ += size;
      if (type == RecordType::opt && edns_owner != nullptr) {
        auto done = edns(*name, record_class, ttl_s, bytes_.subspan(data_at, size), *edns_owner);
        if (!done) return done;
        continue;
      }
      if (!rules_.any_class_allowed && type != RecordType::opt && !is_known_class(record_class)) {
        return malformed("a record of an unknown class");
      }
      auto data = parse_rdata(type, bytes_, data_at, size);
      if (!data) return tl::unexpected(data.error());
      out.push_back({std::move(*name), type, record_class, ttl_s, std::move(*data)});
    }
    return {};
  }

  // RFC 6891 §6.1: one OPT, owned by the root; its class and TTL fields mean other things.
  static Result<void> edns(Name const& name, RecordClass size, std::uint32_t ttl, ByteView options,
                           Message& out) {
    if (!name.is_root()) return malformed("an OPT record that is not the root's");
    if (out.edns) return malformed("two OPT records");
    Edns& edns = out.edns.emplace();
    edns.udp_size = static_cast<std::uint16_t>(size);
    edns.version = static_cast<std::uint8_t>(ttl >> 16);
    edns.dnssec_ok = (ttl & 0x8000) != 0;
    edns.reserved_flags = static_cast<std::uint16_t>(ttl & 0x7fff);
    unsigned const code = static_cast<unsigned>(out.code) | ttl >> 24 << 4;
    out.code = static_cast<ResponseCode>(code);
    while (!options.empty()) {
      if (options.size() < 4) return malformed("an EDNS option is cut short");
      auto const option = base::read_be<std::uint16_t>(options, 0);
      std::size_t const value_size = base::read_be<std::uint16_t>(options, 2);
      if (options.size() < 4 + value_size) return malformed("an EDNS option is cut short");
      edns.options.push_back({option, base::to_bytes(options.subspan(4, value_size))});
      options = options.subspan(4 + value_size);
    }
    return {};
  }

  ByteView bytes_;
  ParseRules const& rules_;
  std::size_t at_ = 0;
};

void write_record(ResourceRecord const& record, NameWriter& names) {
  DOTKEY_ASSERT(data_fits(record.type, record.data));
  Bytes& out = names.out();
  names.compressed(record.name);
  base::append_be(out, static_cast<std::uint16_t>(record.type));
  base::append_be(out, static_cast<std::uint16_t>(record.record_class));
  base::append_be(out, record.ttl_s);
  std::size_t const size_at = out.size();
  base::append_be(out, std::uint16_t{0});
  write_rdata(record.data, names);
  // Above 65,535 the message is too large as well, so the cut value is never sent.
  base::write_be(out.data() + size_at, static_cast<std::uint16_t>(out.size() - size_at - 2));
}

void write_edns(Edns const& edns, ResponseCode code, Bytes& out) {
  out.push_back(0);
  base::append_be(out, static_cast<std::uint16_t>(RecordType::opt));
  base::append_be(out, edns.udp_size);
  out.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(code) >> 4));
  out.push_back(edns.version);
  unsigned const flags = (edns.dnssec_ok ? 0x8000U : 0U) | (edns.reserved_flags & 0x7fffU);
  base::append_be(out, static_cast<std::uint16_t>(flags));
  std::size_t const size_at = out.size();
  base::append_be(out, std::uint16_t{0});
  for (EdnsOption const& option : edns.options) {
    base::append_be(out, option.code);
    base::append_be(out, static_cast<std::uint16_t>(option.value.size()));
    base::append(out, option.value);
  }
  base::write_be(out.data() + size_at, static_cast<std::uint16_t>(out.size() - size_at - 2));
}

enum class OnOverflow : std::uint8_t { fail, truncate };

Result<Bytes> encode(Message const& message, std::size_t size_max, OnOverflow on_overflow) {
  DOTKEY_ASSERT(message.edns || static_cast<unsigned>(message.code) < 16);
  Bytes edns;
  if (message.edns) write_edns(*message.edns, message.code, edns);
  Bytes out;
  out.reserve(std::min<std::size_t>(size_max, 512));
  out.resize(header_size);
  NameWriter names(out, Compression::on);
  for (Question const& question : message.questions) {
    names.compressed(question.name);
    base::append_be(out, static_cast<std::uint16_t>(question.type));
    base::append_be(out, static_cast<std::uint16_t>(question.record_class));
    if (out.size() > size_max) return fail(ErrorCode::dns_too_large);
  }
  if (out.size() + edns.size() > size_max) return fail(ErrorCode::dns_too_large);

  std::size_t counts[4] = {message.questions.size(), 0, 0, 0};
  bool cut = false;
  bool truncated = message.truncated;
  std::vector<ResourceRecord> const* const sections[] = {&message.answers, &message.authorities,
                                                         &message.additionals};
  for (std::size_t i = 0; i < 3 && !cut; ++i) {
    for (ResourceRecord const& record : *sections[i]) {
      std::size_t const size_before = out.size();
      write_record(record, names);
      if (out.size() + edns.size() > size_max) {
        if (on_overflow == OnOverflow::fail) return fail(ErrorCode::dns_too_large);
        out.resize(size_before);
        cut = true;
        // RFC 2181 §9: additional records may go without notice.
        if (i < 2) truncated = true;
        break;
      }
      ++counts[i + 1];
    }
  }
  base::append(out, edns);
  if (message.edns) ++counts[3];
  for (std::size_t i = 0; i < 4; ++i) {
    if (counts[i] > 0xffff) return fail(ErrorCode::dns_too_large);
    base::write_be(out.data() + 4 + 2 * i, static_cast<std::uint16_t>(counts[i]));
  }
  base::write_be(out.data(), message.id);
  unsigned const flags = flags_of(message) | (truncated ? flag_truncated : 0);
  base::write_be(out.data() + 2, static_cast<std::uint16_t>(flags));
  return out;
}

}  // namespace

Result<Message> parse_message(ByteView bytes, ParseRules const& rules) {
  return MessageParser(bytes, rules).parse();
}

Result<Bytes> encode_message(Message const& message, std::size_t size_max) {
  return encode(message, std::min(size_max, message_size_max), OnOverflow::fail);
}

Result<Bytes> encode_truncated(Message const& message, std::size_t size_max) {
  return encode(message, std::min(size_max, message_size_max), OnOverflow::truncate);
}

Result<RecordData> parse_record_data(RecordType type, ByteView bytes) {
  if (bytes.size() > message_size_max) return malformed("record data over 65,535 bytes");
  return parse_rdata(type, bytes, 0, bytes.size());
}

Bytes encode_record_data(RecordData const& data) {
  Bytes out;
  NameWriter names(out, Compression::off);
  write_rdata(data, names);
  return out;
}

}  // namespace dotkey::wire::dns
