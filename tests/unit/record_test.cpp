// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/record/monotonic_timestamps.h"
#include "core/record/signed_packet.h"
#include "core/wire/bencode.h"
#include "core/wire/zone_text.h"

#include "tests/support/json.h"

namespace dotkey::record {
namespace {

using base::Bytes;
using base::encode_hex;
using base::ErrorCode;
using test::hex_at;
using test::load_vectors;
using test::text_at;
using wire::dns::A;
using wire::dns::Name;
using wire::dns::RecordType;
using wire::dns::ResourceRecord;

crypto::KeyPair zero_key() {
  return crypto::KeyPair{crypto::Seed{}};
}

ResourceRecord address_record(std::string_view name, std::uint32_t ttl_s = 30) {
  return ResourceRecord::make(Name::parse(name).value(), ttl_s, RecordType::a, A{{192, 0, 2, 1}});
}

SignedPacket packet_of(std::vector<ResourceRecord> const& records, std::int64_t timestamp_us = 7) {
  auto key = zero_key();
  return SignedPacket::build(key, timestamp_us, records).value();
}

ErrorCode error_of(base::Result<SignedPacket> const& result) {
  return result ? ErrorCode::cancelled : result.error().code;
}

TEST(signed_packet, the_vectors_parse_and_encode_to_the_same_bytes) {
  auto const vectors = load_vectors("signed_packets.json");
  for (auto const& vector : vectors.as_array()) {
    SCOPED_TRACE(text_at(vector, "name"));
    crypto::KeyPair key{*crypto::Seed::from(hex_at(vector, "seed"))};
    EXPECT_EQ(base::encode_zbase32(key.public_key().view()), text_at(vector, "key"));
    auto const packet =
        SignedPacket::parse_relay_payload(key.public_key(), hex_at(vector, "relay_payload"));
    ASSERT_TRUE(packet) << packet.error().detail;
    EXPECT_EQ(encode_hex(packet->dns()), text_at(vector, "dns"));
    EXPECT_EQ(encode_hex(packet->signature().view()), text_at(vector, "signature"));
    EXPECT_EQ(packet->timestamp_us(), vector.at("timestamp_us").to_number<std::int64_t>());
    auto const rebuilt = SignedPacket::build(key, packet->timestamp_us(), packet->records());
    ASSERT_TRUE(rebuilt);
    EXPECT_EQ(encode_hex(rebuilt->canonical()), encode_hex(packet->canonical()));
    EXPECT_EQ(rebuilt->records(), packet->records());
    std::vector<ResourceRecord> written;
    for (auto const& line : vector.at("records").as_array()) {
      std::string_view const text(line.as_string().data(), line.as_string().size());
      written.push_back(wire::dns::parse_record_text(text, Name()).value());
    }
    EXPECT_EQ(SignedPacket::build(key, packet->timestamp_us(), written).value(), *packet);
  }
}

TEST(signed_packet, canonical_relay_and_item_forms_hold_the_same_packet) {
  auto const packet = packet_of({address_record("www")});
  EXPECT_EQ(SignedPacket::parse(packet.canonical()).value(), packet);
  EXPECT_EQ(SignedPacket::parse_relay_payload(packet.key(), packet.relay_payload()).value(),
            packet);
  EXPECT_EQ(SignedPacket::parse_item(packet.key(), packet.signature(), packet.timestamp_us(),
                                     packet.item_value())
                .value(),
            packet);
}

TEST(signed_packet, any_changed_byte_is_refused) {
  auto const packet = packet_of({address_record("www")});
  for (std::size_t i = 0; i < packet.size(); ++i) {
    Bytes bytes = base::to_bytes(packet.canonical());
    bytes[i] ^= 1;
    EXPECT_FALSE(SignedPacket::parse(bytes)) << "byte " << i;
  }
}

TEST(signed_packet, lengths_are_checked_first_then_key_signature_and_content) {
  auto const packet = packet_of({});
  EXPECT_EQ(error_of(SignedPacket::parse(packet.canonical().first(103))),
            ErrorCode::record_truncated);
  EXPECT_EQ(error_of(SignedPacket::parse(Bytes(1105))), ErrorCode::record_too_large);

  Bytes bytes = base::to_bytes(packet.canonical());
  auto const noise =
      base::parse_hex("6482a31e25b0007a31038ae9a2d3835afa10df86366fb3c4bacaf70a1e9f5867");
  std::copy(noise->begin(), noise->end(), bytes.begin());
  EXPECT_EQ(error_of(SignedPacket::parse(bytes)), ErrorCode::key_not_on_curve);

  bytes = base::to_bytes(packet.canonical());
  bytes[96] = 0x80;
  EXPECT_EQ(error_of(SignedPacket::parse(bytes)), ErrorCode::record_timestamp_invalid);
}

TEST(signed_packet, content_that_is_no_dns_message_is_refused_though_signed) {
  auto key = zero_key();
  auto const signed_item = [&](Bytes const& dns) {
    Bytes const value = wire::bencode::encode_string(dns);
    Bytes message = base::to_bytes("3:seqi5e1:v");
    base::append(message, value);
    return SignedPacket::parse_item(key.public_key(), key.sign_now(message), 5, value);
  };
  EXPECT_EQ(error_of(signed_item(Bytes(11))), ErrorCode::dns_malformed);
  EXPECT_TRUE(signed_item(Bytes(12)));
  EXPECT_TRUE(signed_item(Bytes(1000)));  // bytes behind the records are ignored
  EXPECT_EQ(error_of(signed_item(Bytes(1001))), ErrorCode::record_too_large);
  Bytes reserved(12);
  reserved[3] = 0x40;
  EXPECT_EQ(error_of(signed_item(reserved)), ErrorCode::dns_malformed);
  EXPECT_EQ(error_of(SignedPacket::parse_item(key.public_key(), {}, 5, base::view_of("i5e"))),
            ErrorCode::bencode_malformed);
  EXPECT_EQ(error_of(SignedPacket::parse_item(key.public_key(), {}, -1, base::view_of("0:"))),
            ErrorCode::record_timestamp_invalid);
}

TEST(signed_packet, sizes_are_held_to_their_limits) {
  auto key = zero_key();
  auto const vectors = load_vectors("limits.json");
  for (auto const& vector : vectors.at("relay_payloads_of_zeros").as_array()) {
    Bytes const zeros(vector.at("size").to_number<std::size_t>());
    auto const packet = SignedPacket::parse_relay_payload(key.public_key(), zeros);
    EXPECT_EQ(base::slug_of(error_of(packet)), text_at(vector, "error")) << zeros.size();
  }
  for (auto const& vector : vectors.at("builds").as_array()) {
    auto const record = wire::dns::parse_record_text(text_at(vector, "record"), Name());
    std::vector<ResourceRecord> const records(vector.at("count").to_number<std::size_t>(),
                                              record.value());
    auto const packet = SignedPacket::build(key, 1, records);
    if (vector.at("fits").as_bool()) {
      ASSERT_TRUE(packet);
      EXPECT_EQ(packet->dns().size(), vector.at("dns_size").to_number<std::size_t>());
      EXPECT_TRUE(SignedPacket::parse(packet->canonical()));
    } else {
      ASSERT_FALSE(packet);
      EXPECT_EQ(packet.error().code, ErrorCode::record_too_large);
      EXPECT_EQ(packet.error().detail,
                "the DNS message has " +
                    std::to_string(vector.at("dns_size").to_number<std::size_t>()) + " bytes");
    }
  }
}

TEST(signed_packet, a_class_that_other_nodes_refuse_is_not_signed) {
  auto key = zero_key();
  auto record = address_record("a");
  record.record_class = wire::dns::RecordClass{4711};
  EXPECT_EQ(error_of(SignedPacket::build(key, 1, std::vector{record})), ErrorCode::dns_malformed);
}

TEST(signed_packet, pkdns_memory_example_has_its_size) {
  EXPECT_EQ(packet_of({address_record("pknames.p2p", 100), address_record(".", 100)}).size(), 212U);
}

TEST(signed_packet, names_are_found_in_any_case_relative_or_absolute) {
  auto const packet = packet_of({address_record("WWW"), address_record("@")});
  std::string const origin = base::encode_zbase32(packet.key().view());
  for (std::string const& name : {std::string("www"), "wWw." + origin, "WWW." + origin + "."}) {
    EXPECT_EQ(packet.find(Name::parse(name).value()).size(), 1U) << name;
  }
  EXPECT_EQ(packet.find(Name()).size(), 1U);
  EXPECT_EQ(packet.find(Name::parse(base::to_lower_ascii(origin)).value()).size(), 1U);
  EXPECT_TRUE(packet.find(Name::parse("www").value(), RecordType::aaaa).empty());
  EXPECT_TRUE(packet.find(Name::parse("mail").value()).empty());
}

TEST(signed_packet, a_wildcard_question_stands_for_exactly_one_label) {
  auto const packet =
      packet_of({address_record("foo"), address_record("bar.foo"), address_record("x.bar.foo")});
  auto const found = packet.find(Name::parse("*.foo.").value());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0]->name.first_label(), "bar");
}

TEST(signed_packet, a_wildcard_owner_answers_unless_the_name_exists) {
  auto const packet = packet_of({address_record("*.foo", 1), address_record("bar.foo", 2)});
  auto const find = [&](std::string_view name, RecordType type = RecordType::a) {
    return packet.find(Name::parse(name).value(), type);
  };
  ASSERT_EQ(find("other.foo").size(), 1U);
  EXPECT_EQ(find("other.foo")[0]->ttl_s, 1U);
  ASSERT_EQ(find("bar.foo").size(), 1U);
  EXPECT_EQ(find("bar.foo")[0]->ttl_s, 2U);
  EXPECT_TRUE(find("bar.foo", RecordType::aaaa).empty());
  EXPECT_TRUE(find("foo").empty());
  EXPECT_TRUE(find("a.b.foo").empty());
}

TEST(signed_packet, freshness_follows_the_least_ttl_within_bounds) {
  auto const packet = packet_of({address_record("a", 100), address_record("b", 50)});
  EXPECT_EQ(packet.ttl_s(0, 1000), 50U);
  EXPECT_EQ(packet.ttl_s(60, 1000), 60U);
  EXPECT_EQ(packet.ttl_s(10, 20), 20U);
  EXPECT_EQ(packet_of({}).ttl_s(60, 1000), 60U);
  EXPECT_EQ(packet.expires_us(5, 0, 1000), 50'000'005);
}

TEST(signed_packet, later_wins_and_equal_times_are_settled_by_content) {
  auto const older = packet_of({address_record("a")}, 1);
  auto const newer = packet_of({}, 2);
  EXPECT_TRUE(newer.is_more_recent_than(older));
  EXPECT_FALSE(older.is_more_recent_than(newer));
  auto const other = packet_of({address_record("b")}, 1);
  EXPECT_TRUE(other.is_more_recent_than(older));
  EXPECT_FALSE(older.is_more_recent_than(other));
  EXPECT_FALSE(older.is_more_recent_than(older));
}

TEST(normalise_name, every_name_ends_under_the_key) {
  auto const vectors = load_vectors("names_normalised.json");
  for (auto const& vector : vectors.as_array()) {
    SCOPED_TRACE(text_at(vector, "name"));
    auto const key = crypto::PublicKey::from(base::parse_zbase32(text_at(vector, "key")).value());
    auto const name = Name::parse(text_at(vector, "name"));
    ASSERT_TRUE(name);
    EXPECT_EQ(normalise_name(*name, *key).value().to_string(), text_at(vector, "normalised") + ".");
  }
}

TEST(normalise_name, a_name_without_room_for_the_key_is_refused) {
  std::string const label(63, 'a');
  auto const name = Name::parse(label + "." + label + "." + label + ".abcdefghij");
  ASSERT_TRUE(name);
  auto const result = normalise_name(*name, zero_key().public_key());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::dns_name_invalid);
}

TEST(signed_packet, bytes_verified_before_parse_without_their_signature_being_checked) {
  auto const packet = packet_of({address_record("www")});
  EXPECT_EQ(SignedPacket::parse_verified(packet.canonical()).value(), packet);
  EXPECT_EQ(SignedPacket::parse_verified(packet.canonical()).value().records(), packet.records());
  auto changed = base::to_bytes(packet.canonical());
  changed[40] ^= 1;
  EXPECT_TRUE(SignedPacket::parse_verified(changed));
  EXPECT_EQ(error_of(SignedPacket::parse(changed)), ErrorCode::record_signature_invalid);
  EXPECT_EQ(error_of(SignedPacket::parse_verified(packet.canonical().first(103))),
            ErrorCode::record_truncated);
}

TEST(monotonic_timestamps, they_grow_when_the_clock_steps_back) {
  MonotonicTimestamps timestamps(1000);
  EXPECT_EQ(timestamps.next(2000), 2000);
  EXPECT_EQ(timestamps.next(2000), 2001);
  EXPECT_EQ(timestamps.next(500), 2002);
  timestamps.on_seen(9000);
  EXPECT_EQ(timestamps.next(3000), 9001);
  timestamps.on_seen(8000);
  EXPECT_EQ(timestamps.last_us(), 9001);
  timestamps.on_seen(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(timestamps.next(3000), std::nullopt);
}

}  // namespace
}  // namespace dotkey::record
