// SPDX-License-Identifier: Apache-2.0
#include "core/record/signed_packet.h"

#include <algorithm>
#include <limits>
#include <string>

#include "core/base/assert.h"
#include "core/base/integers.h"
#include "core/base/text.h"
#include "core/wire/bencode.h"
#include "core/wire/dns_message.h"
#include "core/wire/krpc.h"

namespace dotkey::record {
namespace {

namespace dns = wire::dns;
using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;
using dns::Name;
using dns::ResourceRecord;

constexpr std::size_t key_size = 32;
constexpr std::size_t signature_at = 32;
constexpr std::size_t timestamp_at = 96;
constexpr std::uint64_t timestamp_max = std::numeric_limits<std::int64_t>::max();

Bytes signable(std::int64_t timestamp_us, ByteView dns_bytes) {
  return wire::krpc::signable({}, timestamp_us, wire::bencode::encode_string(dns_bytes));
}

auto too_large(std::size_t dns_size) {
  return fail(ErrorCode::record_too_large,
              "the DNS message has " + std::to_string(dns_size) + " bytes");
}

bool is_label_of(std::string_view label, crypto::PublicKey const& key) {
  if (label.size() != 52) return false;
  auto const bytes = base::parse_zbase32(base::to_lower_ascii(label));
  return bytes && base::equal(*bytes, key.view());
}

// `wildcard` and `name` agree behind their first labels.
bool matches_wildcard(Name const& wildcard, Name const& name) {
  return !name.is_root() && wildcard.parent() == name.parent();
}

}  // namespace

Result<SignedPacket> SignedPacket::copy_of(ByteView canonical) {
  if (canonical.size() < header_size) {
    return fail(ErrorCode::record_truncated, std::to_string(canonical.size()) + " bytes");
  }
  if (canonical.size() > size_max) return too_large(canonical.size() - header_size);
  SignedPacket out;
  out.bytes_ = base::to_bytes(canonical);
  return out;
}

Result<SignedPacket> SignedPacket::with_records(SignedPacket packet) {
  auto message = dns::parse_message(packet.dns(), dns::rules_for_signed_packets);
  if (!message) return tl::unexpected(message.error());
  packet.records_ = std::move(message->answers);
  return packet;
}

Result<SignedPacket> SignedPacket::parse(ByteView canonical) {
  auto out = copy_of(canonical);
  if (!out) return out;
  auto const key = out->key();
  bool const timestamp_fits =
      base::read_be<std::uint64_t>(canonical, timestamp_at) <= timestamp_max;
  // A good signature proves the key to be a point, so the curve check is only for the diagnosis.
  if (!timestamp_fits ||
      !crypto::verify(key, out->signature(), signable(out->timestamp_us(), out->dns()))) {
    if (!crypto::is_on_curve(key)) return fail(ErrorCode::key_not_on_curve);
    return fail(timestamp_fits ? ErrorCode::record_signature_invalid
                               : ErrorCode::record_timestamp_invalid);
  }
  return with_records(std::move(*out));
}

Result<SignedPacket> SignedPacket::parse_verified(ByteView canonical) {
  auto out = copy_of(canonical);
  return out ? with_records(std::move(*out)) : out;
}

Result<SignedPacket> SignedPacket::parse_relay_payload(crypto::PublicKey const& key,
                                                       ByteView payload) {
  if (payload.size() > relay_payload_size_max) {
    return too_large(payload.size() + key_size - header_size);
  }
  Bytes canonical;
  canonical.reserve(key_size + payload.size());
  base::append(canonical, key.view());
  base::append(canonical, payload);
  return parse(canonical);
}

Result<SignedPacket> SignedPacket::parse_item(crypto::PublicKey const& key,
                                              crypto::Signature const& signature,
                                              std::int64_t sequence, ByteView value) {
  auto const dns_bytes = wire::bencode::parse_string(value);
  if (!dns_bytes) return fail(ErrorCode::bencode_malformed, "the item is no byte string");
  if (dns_bytes->size() > dns_size_max) return too_large(dns_bytes->size());
  if (sequence < 0) return fail(ErrorCode::record_timestamp_invalid, std::to_string(sequence));
  Bytes canonical;
  canonical.reserve(header_size + dns_bytes->size());
  base::append(canonical, key.view());
  base::append(canonical, signature.view());
  base::append_be(canonical, static_cast<std::uint64_t>(sequence));
  base::append(canonical, *dns_bytes);
  return parse(canonical);
}

Result<SignedPacket> SignedPacket::build(crypto::Signer& signer, std::int64_t timestamp_us,
                                         std::span<ResourceRecord const> records) {
  if (timestamp_us < 0) {
    return fail(ErrorCode::record_timestamp_invalid, std::to_string(timestamp_us));
  }
  crypto::PublicKey const& key = signer.public_key();
  auto const dns_bytes = encode_unsigned(key, records);
  if (!dns_bytes) return tl::unexpected(dns_bytes.error());
  if (dns_bytes->size() > dns_size_max) return too_large(dns_bytes->size());
  auto checked = dns::parse_message(*dns_bytes, dns::rules_for_signed_packets);
  if (!checked) return tl::unexpected(checked.error());
  auto const signature = signer.sign(signable(timestamp_us, *dns_bytes));
  if (!signature) return tl::unexpected(signature.error());

  SignedPacket out;
  out.bytes_.reserve(header_size + dns_bytes->size());
  base::append(out.bytes_, key.view());
  base::append(out.bytes_, signature->view());
  base::append_be(out.bytes_, static_cast<std::uint64_t>(timestamp_us));
  base::append(out.bytes_, *dns_bytes);
  out.records_ = std::move(checked->answers);
  return out;
}

crypto::PublicKey SignedPacket::key() const {
  return *crypto::PublicKey::from(canonical().first(key_size));
}

crypto::Signature SignedPacket::signature() const {
  return *crypto::Signature::from(canonical().subspan(signature_at, crypto::Signature::size));
}

std::int64_t SignedPacket::timestamp_us() const {
  return timestamp_us_of(bytes_);
}

Bytes SignedPacket::item_value() const {
  return wire::bencode::encode_string(dns());
}

std::vector<ResourceRecord const*> SignedPacket::find(Name const& name,
                                                      dns::RecordType type) const {
  std::vector<ResourceRecord const*> out;
  auto const wanted = normalise_name(name, key());
  if (!wanted) return out;
  auto const collect = [&](auto const& matches) {
    bool owner_exists = false;
    for (ResourceRecord const& record : records_) {
      if (!matches(record.name)) continue;
      owner_exists = true;
      if (type == dns::RecordType::any || record.type == type) out.push_back(&record);
    }
    return owner_exists;
  };
  if (wanted->is_wildcard()) {
    collect([&](Name const& owner) { return matches_wildcard(*wanted, owner); });
  } else if (!collect([&](Name const& owner) { return owner == *wanted; })) {
    collect(
        [&](Name const& owner) { return owner.is_wildcard() && matches_wildcard(owner, *wanted); });
  }
  return out;
}

std::uint32_t SignedPacket::ttl_s(std::uint32_t min_s, std::uint32_t max_s) const {
  DOTKEY_ASSERT(min_s <= max_s);
  if (records_.empty()) return min_s;
  auto const least = std::min_element(
      records_.begin(), records_.end(),
      [](ResourceRecord const& a, ResourceRecord const& b) { return a.ttl_s < b.ttl_s; });
  return std::clamp(least->ttl_s, min_s, max_s);
}

std::int64_t SignedPacket::expires_us(std::int64_t seen_us, std::uint32_t min_s,
                                      std::uint32_t max_s) const {
  return seen_us + std::int64_t{ttl_s(min_s, max_s)} * 1'000'000;
}

bool SignedPacket::is_more_recent_than(SignedPacket const& other) const {
  return is_more_recent(bytes_, other.bytes_);
}

std::int64_t timestamp_us_of(ByteView canonical) {
  return static_cast<std::int64_t>(base::read_be<std::uint64_t>(canonical, timestamp_at));
}

bool is_more_recent(ByteView canonical, ByteView than) {
  std::int64_t const timestamp_us = timestamp_us_of(canonical);
  std::int64_t const other_us = timestamp_us_of(than);
  if (timestamp_us != other_us) return timestamp_us > other_us;
  return base::compare(canonical.subspan(SignedPacket::header_size),
                       than.subspan(SignedPacket::header_size)) == std::strong_ordering::greater;
}

Name origin_of(crypto::PublicKey const& key) {
  std::string const label = base::encode_zbase32(key.view());
  std::string_view const labels[] = {label};
  auto origin = Name::from_labels(labels);
  DOTKEY_ASSERT(origin.has_value());
  return std::move(*origin);
}

Result<Bytes> encode_unsigned(crypto::PublicKey const& key,
                              std::span<ResourceRecord const> records) {
  dns::Message message;
  message.response = true;
  message.answers.reserve(records.size());
  for (ResourceRecord const& record : records) {
    auto name = normalise_name(record.name, key);
    if (!name) return tl::unexpected(name.error());
    message.answers.push_back(record);
    message.answers.back().name = std::move(*name);
  }
  auto out = dns::encode_message(message);
  if (!out) return fail(ErrorCode::record_too_large, "over 65,535 bytes");
  // Never sign what others refuse: a class that no node knows, for one.
  auto const checked = dns::parse_message(*out, dns::rules_for_signed_packets);
  if (!checked) return tl::unexpected(checked.error());
  return out;
}

Result<Name> normalise_name(Name const& name, crypto::PublicKey const& key) {
  Name origin = origin_of(key);
  std::string_view const last = name.last_label();
  if (last.empty() || last == "@") return origin;
  if (!is_label_of(last, key)) return name.append(origin);
  std::vector<std::string_view> labels;
  name.for_each_label([&](std::string_view label) { labels.push_back(label); });
  labels.back() = origin.first_label();
  return Name::from_labels(labels);
}

}  // namespace dotkey::record
