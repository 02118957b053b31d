// SPDX-License-Identifier: Apache-2.0
#include "core/wire/dns_rdata.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/integers.h"

namespace dotkey::wire::dns {
namespace {

using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;

// A pointer has fourteen bits (RFC 1035 §4.1.4).
constexpr std::size_t pointer_offset_max = 0x3fff;

// Reads the data of one record; after the first failure every read gives zeros and ok() is false.
class Reader {
 public:
  Reader(ByteView message, std::size_t offset, std::size_t size)
      : message_(message), at_(offset), end_(offset + size) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return at_ == end_; }

  ByteView bytes(std::size_t size) {
    if (!ok_ || size > end_ - at_) {
      ok_ = false;
      return {};
    }
    at_ += size;
    return message_.subspan(at_ - size, size);
  }
  ByteView rest() { return bytes(end_ - at_); }
  template <class T>
  T integer() {
    ByteView const source = bytes(sizeof(T));
    return ok_ ? base::read_be<T>(source) : T{0};
  }
  Name name() {
    if (!ok_) return {};
    auto out = NameReader(message_).read(at_, end_);
    ok_ = out.has_value();
    return ok_ ? std::move(*out) : Name();
  }
  ByteView character_string() { return bytes(integer<std::uint8_t>()); }

 private:
  ByteView message_;
  std::size_t at_;
  std::size_t end_;
  bool ok_ = true;
};

template <class Fixed>
Fixed read_address(Reader& in) {
  Fixed out;
  ByteView const source = in.bytes(out.bytes.size());
  std::copy(source.begin(), source.end(), out.bytes.begin());
  return out;
}

Soa read_soa(Reader& in) {
  Soa out;
  out.primary = in.name();
  out.mailbox = in.name();
  out.serial = in.integer<std::uint32_t>();
  out.refresh_s = in.integer<std::uint32_t>();
  out.retry_s = in.integer<std::uint32_t>();
  out.expire_s = in.integer<std::uint32_t>();
  out.minimum_s = in.integer<std::uint32_t>();
  return out;
}

Txt read_txt(Reader& in) {
  Reader check = in;
  while (check.ok() && !check.at_end()) check.character_string();
  if (!check.ok()) in.bytes(SIZE_MAX);  // fails
  return {base::to_bytes(in.rest())};
}

Srv read_srv(Reader& in) {
  Srv out;
  out.priority = in.integer<std::uint16_t>();
  out.weight = in.integer<std::uint16_t>();
  out.port = in.integer<std::uint16_t>();
  out.target = in.name();
  return out;
}

Tlsa read_tlsa(Reader& in) {
  Tlsa out;
  out.usage = in.integer<std::uint8_t>();
  out.selector = in.integer<std::uint8_t>();
  out.matching_type = in.integer<std::uint8_t>();
  out.data = base::to_bytes(in.rest());
  return out;
}

Sshfp read_sshfp(Reader& in) {
  Sshfp out;
  out.algorithm = in.integer<std::uint8_t>();
  out.fingerprint_type = in.integer<std::uint8_t>();
  out.fingerprint = base::to_bytes(in.rest());
  return out;
}

Caa read_caa(Reader& in) {
  Caa out;
  out.flags = in.integer<std::uint8_t>();
  out.tag = base::text_of(in.character_string());
  out.value = base::text_of(in.rest());
  return out;
}

Svcb read_svcb(Reader& in) {
  Svcb out;
  out.priority = in.integer<std::uint16_t>();
  out.target = in.name();
  while (in.ok() && !in.at_end()) {
    auto const key = in.integer<std::uint16_t>();
    ByteView const value = in.bytes(in.integer<std::uint16_t>());
    // RFC 9460 §2.2: strictly ascending.
    if (!out.params.empty() && key <= out.params.back().key) in.bytes(SIZE_MAX);
    out.params.push_back({key, base::to_bytes(value)});
  }
  return out;
}

RecordData read_known(RecordType type, Reader& in) {
  switch (type) {
    case RecordType::a:
      return read_address<A>(in);
    case RecordType::aaaa:
      return read_address<Aaaa>(in);
    case RecordType::ns:
      return Ns{in.name()};
    case RecordType::cname:
      return Cname{in.name()};
    case RecordType::ptr:
      return Ptr{in.name()};
    case RecordType::soa:
      return read_soa(in);
    case RecordType::mx: {
      auto const preference = in.integer<std::uint16_t>();
      return Mx{preference, in.name()};
    }
    case RecordType::txt:
      return read_txt(in);
    case RecordType::srv:
      return read_srv(in);
    case RecordType::sshfp:
      return read_sshfp(in);
    case RecordType::tlsa:
      return read_tlsa(in);
    case RecordType::svcb:
    case RecordType::https:
      return read_svcb(in);
    case RecordType::caa:
      return read_caa(in);
    case RecordType::opt:
    case RecordType::any:
      break;
  }
  return RawData{base::to_bytes(in.rest())};
}

struct Write {
  NameWriter& names;
  base::Bytes& out;

  void operator()(RawData const& data) { base::append(out, data.bytes); }
  void operator()(A const& data) { base::append(out, data.bytes); }
  void operator()(Aaaa const& data) { base::append(out, data.bytes); }
  void operator()(Ns const& data) { names.compressed(data.target); }
  void operator()(Cname const& data) { names.compressed(data.target); }
  void operator()(Ptr const& data) { names.compressed(data.target); }
  void operator()(Soa const& data) {
    names.compressed(data.primary);
    names.compressed(data.mailbox);
    for (std::uint32_t const value :
         {data.serial, data.refresh_s, data.retry_s, data.expire_s, data.minimum_s}) {
      base::append_be(out, value);
    }
  }
  void operator()(Mx const& data) {
    base::append_be(out, data.preference);
    names.compressed(data.exchange);
  }
  void operator()(Txt const& data) { base::append(out, data.wire); }
  void operator()(Srv const& data) {
    base::append_be(out, data.priority);
    base::append_be(out, data.weight);
    base::append_be(out, data.port);
    names.plain(data.target);
  }
  void operator()(Tlsa const& data) {
    out.insert(out.end(), {data.usage, data.selector, data.matching_type});
    base::append(out, data.data);
  }
  void operator()(Svcb const& data) {
    base::append_be(out, data.priority);
    names.plain(data.target);
    for (SvcParam const& param : data.params) {
      base::append_be(out, param.key);
      base::append_be(out, static_cast<std::uint16_t>(param.value.size()));
      base::append(out, param.value);
    }
  }
  void operator()(Sshfp const& data) {
    out.insert(out.end(), {data.algorithm, data.fingerprint_type});
    base::append(out, data.fingerprint);
  }
  void operator()(Caa const& data) {
    DOTKEY_ASSERT(data.tag.size() <= 255);
    out.push_back(data.flags);
    out.push_back(static_cast<std::uint8_t>(data.tag.size()));
    base::append(out, data.tag);
    base::append(out, data.value);
  }
};

}  // namespace

void NameWriter::compressed(Name const& name) {
  if (compression_ == Compression::off) return plain(name);
  ByteView const wire = name.wire();
  // Hashes of all suffixes, from the root up: each extends the one before.
  std::uint8_t starts[Name::size_max / 2 + 1];
  std::size_t labels = 0;
  for (std::size_t at = 0; wire[at] != 0; at += 1U + wire[at]) {
    starts[labels++] = static_cast<std::uint8_t>(at);
  }
  std::uint32_t hashes[Name::size_max / 2 + 1];
  std::uint32_t hash = 0x811c9dc5U;
  for (std::size_t i = labels; i-- > 0;) {
    for (std::size_t at = starts[i]; at <= starts[i] + std::size_t{wire[starts[i]]}; ++at) {
      hash = (hash ^ wire[at]) * 0x01000193U;
    }
    hashes[i] = hash;
  }
  for (std::size_t i = 0; i < labels; ++i) {
    ByteView const suffix = wire.subspan(starts[i]);
    std::uint16_t& head = heads_[(hashes[i] ^ hashes[i] >> 16) % heads_.size()];
    for (std::uint16_t at = head; at != none; at = suffixes_[at].next) {
      Suffix const& known = suffixes_[at];
      if (known.hash == hashes[i] && base::equal({known.bytes, known.size}, suffix)) {
        base::append_be(out_, static_cast<std::uint16_t>(0xc000 | known.offset));
        return;
      }
    }
    if (out_.size() <= pointer_offset_max) {
      auto const index = static_cast<std::uint16_t>(suffixes_.size());
      suffixes_.push_back({suffix.data(), hashes[i], static_cast<std::uint16_t>(out_.size()), head,
                           static_cast<std::uint8_t>(suffix.size())});
      head = index;
    }
    base::append(out_, suffix.first(1U + suffix[0]));
  }
  out_.push_back(0);
}

Result<RecordData> parse_rdata(RecordType type, ByteView message, std::size_t offset,
                               std::size_t size) {
  // Dynamic updates and pkarr's "empty" data: a known type, but no data.
  if (size == 0) return RawData{};
  Reader in(message, offset, size);
  RecordData data = read_known(type, in);
  if (!in.ok() || !in.at_end()) {
    return fail(ErrorCode::dns_malformed,
                "the data of a record of type " + encode_record_type(type));
  }
  return data;
}

void write_rdata(RecordData const& data, NameWriter& names) {
  std::visit(Write{names, names.out()}, data);
}

}  // namespace dotkey::wire::dns
