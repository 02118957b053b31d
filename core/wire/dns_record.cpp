// SPDX-License-Identifier: Apache-2.0
#include "core/wire/dns_record.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/integers.h"
#include "core/base/text.h"

namespace dotkey::wire::dns {
namespace {

template <class Value>
struct Mnemonic {
  std::string_view text;
  Value value;
};

constexpr Mnemonic<RecordType> types[] = {
    {"A", RecordType::a},       {"AAAA", RecordType::aaaa},   {"CNAME", RecordType::cname},
    {"NS", RecordType::ns},     {"SOA", RecordType::soa},     {"PTR", RecordType::ptr},
    {"MX", RecordType::mx},     {"TXT", RecordType::txt},     {"SRV", RecordType::srv},
    {"OPT", RecordType::opt},   {"SSHFP", RecordType::sshfp}, {"TLSA", RecordType::tlsa},
    {"SVCB", RecordType::svcb}, {"HTTPS", RecordType::https}, {"ANY", RecordType::any},
    {"CAA", RecordType::caa},
};

constexpr Mnemonic<RecordClass> classes[] = {
    {"IN", RecordClass::in}, {"CS", RecordClass::cs},     {"CH", RecordClass::ch},
    {"HS", RecordClass::hs}, {"NONE", RecordClass::none}, {"ANY", RecordClass::any},
};

template <class Value, std::size_t N>
std::string encode_mnemonic(Mnemonic<Value> const (&table)[N], std::string_view generic,
                            Value value) {
  for (auto const& entry : table) {
    if (entry.value == value) return std::string(entry.text);
  }
  return std::string(generic) + std::to_string(static_cast<std::uint16_t>(value));
}

template <class Value, std::size_t N>
std::optional<Value> parse_mnemonic(Mnemonic<Value> const (&table)[N], std::string_view generic,
                                    std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  for (auto const& entry : table) {
    if (entry.text == upper) return entry.value;
  }
  if (!upper.starts_with(generic)) return std::nullopt;
  auto const number = base::parse_decimal<std::uint16_t>(upper.substr(generic.size()));
  if (!number) return std::nullopt;
  return static_cast<Value>(*number);
}

}  // namespace

Txt Txt::from(std::vector<std::string_view> const& parts) {
  constexpr std::size_t piece_size_max = 254;
  Txt out;
  for (std::string_view part : parts) {
    do {
      std::size_t const size = std::min(part.size(), piece_size_max);
      out.wire.push_back(static_cast<std::uint8_t>(size));
      base::append(out.wire, part.substr(0, size));
      part.remove_prefix(size);
    } while (!part.empty());
  }
  return out;
}

std::vector<std::string_view> Txt::strings() const {
  std::vector<std::string_view> out;
  std::string_view rest = base::text_of(wire);
  while (!rest.empty()) {
    std::size_t const size =
        std::min<std::size_t>(static_cast<std::uint8_t>(rest[0]), rest.size() - 1);
    out.push_back(rest.substr(1, size));
    rest.remove_prefix(1 + size);
  }
  return out;
}

std::string Txt::joined() const {
  std::string out;
  for (std::string_view const part : strings()) out += part;
  return out;
}

ResourceRecord ResourceRecord::make(Name name, std::uint32_t ttl_s, RecordType type,
                                    RecordData data) {
  DOTKEY_ASSERT(data_fits(type, data));
  return {std::move(name), type, RecordClass::in, ttl_s, std::move(data)};
}

namespace {

template <class T>
bool holds_any(RecordData const* data) {
  return data == nullptr || std::holds_alternative<T>(*data);
}

// Whether the data is the struct of the type; without data, whether the type has one.
bool has_struct(RecordType type, RecordData const* data) {
  switch (type) {
    case RecordType::a:
      return holds_any<A>(data);
    case RecordType::aaaa:
      return holds_any<Aaaa>(data);
    case RecordType::ns:
      return holds_any<Ns>(data);
    case RecordType::cname:
      return holds_any<Cname>(data);
    case RecordType::ptr:
      return holds_any<Ptr>(data);
    case RecordType::soa:
      return holds_any<Soa>(data);
    case RecordType::mx:
      return holds_any<Mx>(data);
    case RecordType::txt:
      return holds_any<Txt>(data);
    case RecordType::srv:
      return holds_any<Srv>(data);
    case RecordType::sshfp:
      return holds_any<Sshfp>(data);
    case RecordType::tlsa:
      return holds_any<Tlsa>(data);
    case RecordType::svcb:
    case RecordType::https:
      return holds_any<Svcb>(data);
    case RecordType::caa:
      return holds_any<Caa>(data);
    case RecordType::opt:
    case RecordType::any:
      break;
  }
  return false;
}

}  // namespace

bool data_fits(RecordType type, RecordData const& data) {
  return std::holds_alternative<RawData>(data) || has_struct(type, &data);
}

bool lacks_data(ResourceRecord const& record) {
  return std::holds_alternative<RawData>(record.data) && has_struct(record.type, nullptr);
}

std::string encode_record_type(RecordType type) {
  return encode_mnemonic(types, "TYPE", type);
}

std::optional<RecordType> parse_record_type(std::string_view text) {
  return parse_mnemonic(types, "TYPE", text);
}

std::string encode_record_class(RecordClass record_class) {
  return encode_mnemonic(classes, "CLASS", record_class);
}

std::optional<RecordClass> parse_record_class(std::string_view text) {
  return parse_mnemonic(classes, "CLASS", text);
}

}  // namespace dotkey::wire::dns
