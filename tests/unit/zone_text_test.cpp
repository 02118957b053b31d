// SPDX-License-Identifier: Apache-2.0
#include "core/wire/zone_text.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/wire/dns_message.h"

#include "tests/support/json.h"

namespace dotkey::wire::dns {
namespace {

using base::encode_hex;
using base::ErrorCode;
using test::load_vectors;
using test::text_at;

std::string text_of(base::Result<ResourceRecord> const& record) {
  return record ? encode_record_text(*record, Name()) : record.error().detail;
}

Name example() {
  return Name::parse("example.org").value();
}

TEST(zone_text, record_data_agree_with_an_independent_codec) {
  auto const vectors = load_vectors("zone_text.json");
  for (auto const& vector : vectors.at("data").as_array()) {
    std::string const start = "a 1 " + text_at(vector, "type") + " ";
    SCOPED_TRACE(start + text_at(vector, "text"));
    auto const record = parse_record_text(start + text_at(vector, "text"), example());
    ASSERT_TRUE(record) << record.error().detail;
    EXPECT_EQ(encode_hex(encode_record_data(record->data)), text_at(vector, "data"));
    EXPECT_EQ(encode_record_data_text(record->data), text_at(vector, "canonical"));
    auto const parsed = parse_record_data(record->type, test::hex_at(vector, "data"));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, record->data);
    auto const again = parse_record_text(encode_record_text(*record, example()), example());
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(*again, *record);
  }
}

TEST(zone_text, zones_give_the_records_a_reader_expects) {
  auto const vectors = load_vectors("zone_text.json");
  for (auto const& vector : vectors.at("zones").as_array()) {
    SCOPED_TRACE(text_at(vector, "name"));
    auto const records = parse_zone_text(text_at(vector, "text"), example());
    ASSERT_TRUE(records) << records.error().detail;
    std::vector<std::string> lines;
    for (ResourceRecord const& record : *records) {
      lines.push_back(encode_record_text(record, Name()));
    }
    std::vector<std::string> expected;
    for (auto const& line : vector.at("records").as_array()) {
      expected.emplace_back(line.as_string());
    }
    EXPECT_EQ(lines, expected);
    EXPECT_EQ(parse_zone_text(encode_zone_text(*records, example()), Name()).value(), *records);
  }
}

TEST(zone_text, errors_name_line_and_column) {
  auto const vectors = load_vectors("zone_text.json");
  for (auto const& vector : vectors.at("invalid").as_array()) {
    SCOPED_TRACE(text_at(vector, "text"));
    auto const records = parse_zone_text(text_at(vector, "text"), example());
    ASSERT_FALSE(records);
    EXPECT_EQ(records.error().code, ErrorCode::zone_syntax);
    EXPECT_EQ(records.error().detail, text_at(vector, "detail"));
  }
}

TEST(zone_text, a_single_record_names_its_owner) {
  EXPECT_EQ(text_of(parse_record_text("www 300 A 192.0.2.1", example())),
            "www.example.org. 300 A 192.0.2.1");
  EXPECT_EQ(text_of(parse_record_text("  @ HTTPS 1 .", example())), "example.org. 3600 HTTPS 1 .");
  EXPECT_EQ(text_of(parse_record_text("", example())), "line 1, column 1: a record is missing");
  EXPECT_EQ(text_of(parse_record_text("$TTL 5", example())),
            "line 1, column 1: a directive is no record");
  EXPECT_EQ(text_of(parse_record_text("a A 192.0.2.1\nb A 192.0.2.1", example())),
            "line 2, column 1: more than one record");
}

TEST(zone_text, size_and_count_are_bounded) {
  EXPECT_FALSE(parse_zone_text(std::string(zone_text_size_max + 1, ' '), Name()));
  EXPECT_TRUE(parse_zone_text(std::string(zone_text_size_max, ' '), Name()));
  std::string many;
  for (std::size_t i = 0; i < zone_records_max; ++i) many += "a A 192.0.2.1\n";
  EXPECT_TRUE(parse_zone_text(many, Name()));
  many += "a A 192.0.2.1\n";
  auto const records = parse_zone_text(many, Name());
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().detail, "line 10001, column 1: more records than a zone may have");
  auto const large = parse_zone_text("a CAA 0 issue \"" + std::string(65536, 'x') + "\"", Name());
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().detail,
            "line 1, column 15: the data of one record have at most 65,535 bytes");
}

TEST(zone_text, data_without_a_faithful_form_print_generically) {
  auto const text = [](RecordType type, std::string_view hex) {
    return encode_record_data_text(parse_record_data(type, base::parse_hex(hex).value()).value());
  };
  EXPECT_EQ(text(RecordType::a, ""), "\\# 0");
  EXPECT_EQ(text(RecordType::tlsa, "030101"), "\\# 3 030101");
  EXPECT_EQ(text(RecordType::https,
                 "00010000030001"
                 "05"),
            "\\# 8 0001000003000105");
  EXPECT_EQ(text(RecordType::caa,
                 "0001"
                 "2e"
                 "78"),
            "\\# 4 00012e78");
}

TEST(zone_text, durations_are_seconds_or_units) {
  EXPECT_EQ(parse_ttl("0"), 0U);
  EXPECT_EQ(parse_ttl("1w2D3h4M5s"), 788645U);
  EXPECT_EQ(parse_ttl("4294967295"), 4294967295U);
  for (char const* const bad : {"", "h", "1h30", "1x", "-1", "4294967296", "7102w", "1hh"}) {
    EXPECT_EQ(parse_ttl(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace dotkey::wire::dns
