// SPDX-License-Identifier: Apache-2.0
#include "core/wire/zone_rdata.h"

#include <algorithm>

#include "core/base/integers.h"
#include "core/base/text.h"
#include "core/wire/character_string.h"
#include "core/wire/dns_message.h"

namespace dotkey::wire::dns {
namespace {

using base::Bytes;
using base::Result;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::uint64_t seconds_in(char unit) {
  switch (unit) {
    case 's':
    case 'S':
      return 1;
    case 'm':
    case 'M':
      return 60;
    case 'h':
    case 'H':
      return 3600;
    case 'd':
    case 'D':
      return 86400;
    case 'w':
    case 'W':
      return 604800;
    default:
      return 0;
  }
}

// Takes one token after another; remembers the first failure, after which all reads are empty.
class TokenReader {
 public:
  TokenReader(ZoneLexer const& lexer, Entry const& entry, std::size_t first, Name const& origin)
      : lexer_(lexer), entry_(entry), next_(first), origin_(origin) {}

  [[nodiscard]] bool ok() const { return !failure_; }
  [[nodiscard]] bool at_end() const { return next_ == entry_.tokens.size(); }
  [[nodiscard]] base::Failure failure() const { return *failure_; }
  [[nodiscard]] bool is_generic() const {
    return !at_end() && !entry_.tokens[next_].quoted && entry_.tokens[next_].text == "\\#";
  }

  // `what` completes "… is missing".
  Token token(std::string_view what) {
    if (!ok()) return {};
    if (at_end()) {
      failure_ = lexer_.syntax_error(entry_.end, std::string(what) + " is missing");
      return {};
    }
    return last_ = entry_.tokens[next_++];
  }

  // About the token read last.
  void refuse(std::string_view why) {
    if (ok()) failure_ = lexer_.syntax_error(last_, why);
  }

  template <class T>
  T number(std::string_view what) {
    Token const word = token(what);
    if (!ok()) return {};
    auto const value = base::parse_decimal<T>(word.text);
    if (!value) refuse(std::string(what) + " is a number from 0 to " + std::to_string(T(~T{0})));
    return value.value_or(T{0});
  }

  std::uint32_t duration(std::string_view what) {
    Token const word = token(what);
    if (!ok()) return 0;
    auto const value = parse_ttl(word.text);
    if (!value) refuse(std::string(what) + " is a number of seconds, or like 1h30m");
    return value.value_or(0);
  }

  Name name(std::string_view what) {
    Token const word = token(what);
    if (!ok()) return {};
    auto value = Name::parse_relative(word.text, origin_);
    if (!value) refuse(value.error().detail);
    return ok() ? std::move(*value) : Name();
  }

  std::string string(std::string_view what) {
    Token const word = token(what);
    if (!ok()) return {};
    auto value = unescape(word.text);
    if (!value) refuse("a broken escape; write \\\\ for a backslash");
    return value.value_or("");
  }

  // Hex digits up to the end, in one token or several.
  Bytes hex(std::string_view what) {
    std::string digits;
    do digits += token(what).text;
    while (ok() && !at_end());
    auto bytes = base::parse_hex(digits);
    if (!bytes) refuse(std::string(what) + " is hexadecimal, two digits a byte");
    return ok() ? std::move(*bytes) : Bytes();
  }

  // One SvcParam. Its value may be in quotes of its own.
  void svc_param(Svcb& out) {
    Token const word = token("a parameter");
    if (word.quoted) refuse("only the value of a parameter is quoted: alpn=\"h2\"");
    if (!ok()) return;
    std::size_t const equals = word.text.find('=');
    std::optional<std::string> value;
    if (equals != std::string_view::npos) {
      std::string_view raw = word.text.substr(equals + 1);
      bool const quoted = raw.size() >= 2 && raw.front() == '"' && raw.back() == '"';
      if (quoted) raw = raw.substr(1, raw.size() - 2);
      value = unescape(raw);
      if (!value || (!quoted && raw.find('"') != std::string_view::npos)) {
        return refuse("a broken escape or quote in the parameter's value");
      }
    }
    auto param = parse_svc_param(word.text.substr(0, equals), value);
    if (!param) return refuse(param.error().detail);
    if (out.find(param->key) != nullptr) return refuse("the parameter stands here twice");
    out.set(param->key, std::move(param->value));
  }

 private:
  ZoneLexer const& lexer_;
  Entry const& entry_;
  std::size_t next_;
  Name const& origin_;
  Token last_;
  std::optional<base::Failure> failure_;
};

template <class Fixed>
Fixed read_address(TokenReader& in, bool ipv4) {
  Fixed out;
  Token const word = in.token("an address");
  if (!in.ok()) return out;
  auto const bytes = parse_address_bytes(word.text, ipv4);
  if (!bytes) {
    in.refuse(ipv4 ? "an IPv4 address is like 192.0.2.1" : "an IPv6 address is like 2001:db8::1");
    return out;
  }
  std::copy(bytes->begin(), bytes->end(), out.bytes.begin());
  return out;
}

Soa read_soa(TokenReader& in) {
  Soa out;
  out.primary = in.name("the primary server");
  out.mailbox = in.name("the mailbox");
  out.serial = in.number<std::uint32_t>("the serial number");
  out.refresh_s = in.duration("the refresh time");
  out.retry_s = in.duration("the retry time");
  out.expire_s = in.duration("the expiry time");
  out.minimum_s = in.duration("the minimum TTL");
  return out;
}

Txt read_txt(TokenReader& in) {
  Txt out;
  do {
    std::string const text = in.string("a text");
    if (text.size() > 255) in.refuse("a text has at most 255 bytes; cut it into several");
    out.wire.push_back(static_cast<std::uint8_t>(text.size()));
    base::append(out.wire, text);
  } while (in.ok() && !in.at_end());
  return out;
}

Svcb read_svcb(TokenReader& in) {
  Svcb out;
  out.priority = in.number<std::uint16_t>("the priority");
  out.target = in.name("the target");
  while (in.ok() && !in.at_end()) in.svc_param(out);
  if (in.ok() && !out.is_well_formed()) {
    in.refuse("the parameters are not what RFC 9460 allows together");
  }
  return out;
}

Caa read_caa(TokenReader& in) {
  Caa out;
  out.flags = in.number<std::uint8_t>("the flags");
  out.tag = in.string("the tag");
  bool const plain = !out.tag.empty() && out.tag.size() <= 255 &&
                     std::all_of(out.tag.begin(), out.tag.end(), is_alphanumeric);
  if (!plain) in.refuse("a tag has 1 to 255 letters and digits");
  out.value = in.string("the value");
  return out;
}

// Braces evaluate their initialisers from left to right, as the tokens stand.
RecordData read_typed(RecordType type, TokenReader& in) {
  switch (type) {
    case RecordType::a:
      return read_address<A>(in, true);
    case RecordType::aaaa:
      return read_address<Aaaa>(in, false);
    case RecordType::ns:
      return Ns{in.name("the server's name")};
    case RecordType::cname:
      return Cname{in.name("the canonical name")};
    case RecordType::ptr:
      return Ptr{in.name("the name")};
    case RecordType::soa:
      return read_soa(in);
    case RecordType::mx:
      return Mx{in.number<std::uint16_t>("the preference"), in.name("the mail server")};
    case RecordType::txt:
      return read_txt(in);
    case RecordType::srv:
      return Srv{in.number<std::uint16_t>("the priority"), in.number<std::uint16_t>("the weight"),
                 in.number<std::uint16_t>("the port"), in.name("the target")};
    case RecordType::tlsa:
      return Tlsa{in.number<std::uint8_t>("the usage"), in.number<std::uint8_t>("the selector"),
                  in.number<std::uint8_t>("the matching type"),
                  in.hex("the certificate association data")};
    case RecordType::sshfp:
      return Sshfp{in.number<std::uint8_t>("the algorithm"),
                   in.number<std::uint8_t>("the fingerprint type"), in.hex("the fingerprint")};
    case RecordType::svcb:
    case RecordType::https:
      return read_svcb(in);
    case RecordType::caa:
      return read_caa(in);
    case RecordType::opt:
    case RecordType::any:
      break;
  }
  in.token("\\# (this type has no text form of its own, RFC 3597)");
  in.refuse("this type has no text form of its own; write \\# SIZE HEX (RFC 3597)");
  return RawData{};
}

RecordData read_generic(RecordType type, TokenReader& in) {
  in.token("\\#");
  auto const size = in.number<std::uint16_t>("the size");
  Bytes const bytes = size > 0 ? in.hex("the data") : Bytes();
  if (in.ok() && bytes.size() != size) in.refuse("the data do not have the size given");
  if (!in.ok()) return RawData{};
  auto data = parse_record_data(type, bytes);
  if (!data) in.refuse("these bytes are no data of type " + encode_record_type(type));
  return in.ok() ? std::move(*data) : RecordData();
}

std::string encode_generic(RecordData const& data) {
  Bytes const bytes = encode_record_data(data);
  std::string out = "\\# " + std::to_string(bytes.size());
  if (!bytes.empty()) out += ' ';
  return out += base::encode_hex(bytes);
}

std::string joined(std::initializer_list<std::string_view> words) {
  std::string out;
  for (std::string_view const word : words) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

std::string decimal(std::uint32_t value) {
  return std::to_string(value);
}

// What has no faithful form of its own gives "", for the generic form instead.
struct Print {
  std::string operator()(RawData const&) { return {}; }
  std::string operator()(A const& data) { return encode_address_bytes(data.bytes); }
  std::string operator()(Aaaa const& data) { return encode_address_bytes(data.bytes); }
  std::string operator()(Ns const& data) { return data.target.to_string(); }
  std::string operator()(Cname const& data) { return data.target.to_string(); }
  std::string operator()(Ptr const& data) { return data.target.to_string(); }
  std::string operator()(Soa const& data) {
    return joined({data.primary.to_string(), data.mailbox.to_string(), decimal(data.serial),
                   decimal(data.refresh_s), decimal(data.retry_s), decimal(data.expire_s),
                   decimal(data.minimum_s)});
  }
  std::string operator()(Mx const& data) {
    return joined({decimal(data.preference), data.exchange.to_string()});
  }
  std::string operator()(Txt const& data) {
    std::string out;
    for (std::string_view const text : data.strings()) {
      if (!out.empty()) out += ' ';
      out += encode_quoted(text);
    }
    return out;
  }
  std::string operator()(Srv const& data) {
    return joined({decimal(data.priority), decimal(data.weight), decimal(data.port),
                   data.target.to_string()});
  }
  std::string operator()(Tlsa const& data) {
    if (data.data.empty()) return {};
    return joined({decimal(data.usage), decimal(data.selector), decimal(data.matching_type),
                   base::encode_hex(data.data)});
  }
  std::string operator()(Svcb const& data) {
    if (!data.is_well_formed()) return {};
    std::string out = joined({decimal(data.priority), data.target.to_string()});
    for (SvcParam const& param : data.params) {
      out += ' ';
      out += encode_svc_param(param);
    }
    return out;
  }
  std::string operator()(Sshfp const& data) {
    if (data.fingerprint.empty()) return {};
    return joined({decimal(data.algorithm), decimal(data.fingerprint_type),
                   base::encode_hex(data.fingerprint)});
  }
  std::string operator()(Caa const& data) {
    bool const plain =
        !data.tag.empty() && std::all_of(data.tag.begin(), data.tag.end(), is_alphanumeric);
    if (!plain) return {};
    return joined({decimal(data.flags), data.tag, encode_quoted(data.value)});
  }
};

}  // namespace

Result<RecordData> parse_record_data_text(RecordType type, ZoneLexer const& lexer,
                                          Entry const& entry, std::size_t first,
                                          Name const& origin) {
  TokenReader in(lexer, entry, first, origin);
  RecordData data = in.is_generic() ? read_generic(type, in) : read_typed(type, in);
  if (in.ok() && !in.at_end()) {
    in.token("");
    in.refuse("nothing may follow the data of this type");
  }
  if (in.ok() && encode_record_data(data).size() > 0xffff) {
    in.refuse("the data of one record have at most 65,535 bytes");
  }
  if (!in.ok()) return in.failure();
  return data;
}

std::string encode_record_data_text(RecordData const& data) {
  std::string text = std::visit(Print{}, data);
  return text.empty() ? encode_generic(data) : text;
}

std::optional<std::uint32_t> parse_ttl(std::string_view text) {
  std::uint64_t total = 0;
  std::uint64_t number = 0;
  bool digits = false;
  bool units = false;
  for (char const c : text) {
    if (is_digit(c)) {
      number = number * 10 + static_cast<std::uint64_t>(c - '0');
      digits = true;
    } else {
      std::uint64_t const seconds = seconds_in(c);
      if (!digits || seconds == 0) return std::nullopt;
      total += number * seconds;
      number = 0;
      digits = false;
      units = true;
    }
    if (number > 0xffffffff || total > 0xffffffff) return std::nullopt;
  }
  // "1h30" leaves open what the 30 are.
  if (text.empty() || (units && digits)) return std::nullopt;
  total += number;
  return static_cast<std::uint32_t>(total);
}

}  // namespace dotkey::wire::dns
