// SPDX-License-Identifier: Apache-2.0
// Pkarr's signed packet: DNS records under an Ed25519 signature, carried as a BEP 44 item. The
// exact bytes are kept, since the signature is over them and no other encoder need agree with ours.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/ed25519.h"
#include "core/crypto/keys.h"
#include "core/wire/dns_record.h"

namespace dotkey::record {

class SignedPacket {
 public:
  // key (32) ‖ signature (64) ‖ timestamp (8, big-endian µs) ‖ DNS message (0..1000).
  static constexpr std::size_t header_size = 104;
  static constexpr std::size_t dns_size_max = 1000;
  static constexpr std::size_t size_max = header_size + dns_size_max;
  // What a relay carries: the same without the key.
  static constexpr std::size_t relay_payload_size_max = size_max - 32;

  // Each verifies, in this order: length, key, timestamp, signature, DNS message. Errors:
  // record_truncated, record_too_large, key_not_on_curve, record_timestamp_invalid,
  // record_signature_invalid, dns_malformed.
  static base::Result<SignedPacket> parse(base::ByteView canonical);
  static base::Result<SignedPacket> parse_relay_payload(crypto::PublicKey const& key,
                                                        base::ByteView payload);
  // A BEP 44 item without salt; `value` is bencoded. Errors also: bencode_malformed when it is no
  // byte string.
  static base::Result<SignedPacket> parse_item(crypto::PublicKey const& key,
                                               crypto::Signature const& signature,
                                               std::int64_t sequence, base::ByteView value);

  // Canonical bytes that this program verified before and kept in its own memory since: the
  // signature is not checked again. Errors: record_truncated, record_too_large, dns_malformed.
  static base::Result<SignedPacket> parse_verified(base::ByteView canonical);

  // Signs `records` after bringing their owner names under the signer's key (normalise_name).
  // `timestamp_us`: microseconds since 1970, not negative. Errors: record_too_large,
  // record_timestamp_invalid, dns_name_invalid, dns_malformed for a class that packets may not
  // have, and what the signer gives.
  static base::Result<SignedPacket> build(crypto::Signer& signer, std::int64_t timestamp_us,
                                          std::span<wire::dns::ResourceRecord const> records);

  [[nodiscard]] base::ByteView canonical() const { return bytes_; }
  [[nodiscard]] base::ByteView relay_payload() const { return canonical().subspan(32); }
  [[nodiscard]] base::ByteView dns() const { return canonical().subspan(header_size); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  [[nodiscard]] crypto::PublicKey key() const;
  [[nodiscard]] crypto::Signature signature() const;
  // Microseconds since 1970; also BEP 44's sequence number.
  [[nodiscard]] std::int64_t timestamp_us() const;
  // BEP 44's `v`: the DNS message as a bencoded byte string.
  [[nodiscard]] base::Bytes item_value() const;

  // The answer section.
  [[nodiscard]] std::vector<wire::dns::ResourceRecord> const& records() const { return records_; }

  // Records for `name`, in any case, relative to the key or below it (normalise_name). A name whose
  // first label is `*` finds every owner with exactly one label in its place. Any other name finds
  // its own records or, when it has none of any type, those of the wildcard owner with `*` for its
  // first label. `type` any finds all types. The pointers live as long as the packet.
  [[nodiscard]] std::vector<wire::dns::ResourceRecord const*> find(
      wire::dns::Name const& name, wire::dns::RecordType type = wire::dns::RecordType::any) const;

  // The least TTL of all records, kept within [min_s, max_s]; min_s without records.
  [[nodiscard]] std::uint32_t ttl_s(std::uint32_t min_s, std::uint32_t max_s) const;
  // Microseconds since 1970 at which a packet last seen at `seen_us` ceases to be fresh.
  [[nodiscard]] std::int64_t expires_us(std::int64_t seen_us, std::uint32_t min_s,
                                        std::uint32_t max_s) const;

  // Later timestamp; at the same timestamp the larger DNS bytes, as every pkarr node has it.
  [[nodiscard]] bool is_more_recent_than(SignedPacket const& other) const;

  friend bool operator==(SignedPacket const& a, SignedPacket const& b) {
    return a.bytes_ == b.bytes_;
  }

 private:
  SignedPacket() = default;
  // Copies bytes of a possible size; nothing else is checked.
  static base::Result<SignedPacket> copy_of(base::ByteView canonical);
  static base::Result<SignedPacket> with_records(SignedPacket packet);

  base::Bytes bytes_;  // canonical form
  std::vector<wire::dns::ResourceRecord> records_;
};

// Of a packet's canonical bytes, which are not read beyond it: microseconds since 1970.
std::int64_t timestamp_us_of(base::ByteView canonical);
// SignedPacket::is_more_recent_than() on canonical bytes.
bool is_more_recent(base::ByteView canonical, base::ByteView than);

// The name a key goes by in its own packet: one label of z-base-32.
wire::dns::Name origin_of(crypto::PublicKey const& key);

// The DNS message that build() would sign, of any size. Errors: record_too_large over 65,535 bytes;
// dns_name_invalid; dns_malformed.
base::Result<base::Bytes> encode_unsigned(crypto::PublicKey const& key,
                                          std::span<wire::dns::ResourceRecord const> records);

// Brings a name under `key`: kept when it ends in the key (in any case or spelling of it, made
// canonical), the key's own name when it is the root or ends in the label "@", else relative to the
// key. Errors: dns_name_invalid when it gets too long.
base::Result<wire::dns::Name> normalise_name(wire::dns::Name const& name,
                                             crypto::PublicKey const& key);

}  // namespace dotkey::record
