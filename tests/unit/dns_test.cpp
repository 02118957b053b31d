// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/wire/dns_message.h"
#include "core/wire/zone_text.h"

#include "tests/support/json.h"

namespace dotkey::wire::dns {
namespace {

using base::Bytes;
using base::encode_hex;

Bytes hex(std::string_view text) {
  return base::parse_hex(text).value();
}

Name name(std::string_view text) {
  return Name::parse(text).value();
}

TEST(dns_name, text_and_wire_agree) {
  EXPECT_EQ(encode_hex(name("www.example.").wire()), "03777777076578616d706c6500");
  EXPECT_EQ(name("www.example").to_string(), "www.example.");
  EXPECT_EQ(name(".").to_string(), ".");
  EXPECT_EQ(name("").label_count(), 0U);
  EXPECT_EQ(name("a\\.b.c").label_count(), 2U);
  EXPECT_EQ(name("a\\.b\\046\\007.c").to_string(), "a\\.b\\.\\007.c.");
  EXPECT_EQ(name("\\@").to_string_relative(name("org")), "\\@.");
  EXPECT_EQ(Name::parse_wire(hex("0361623000")).value().to_string(), "ab0.");
}

TEST(dns_name, lengths_are_bounded) {
  std::string const label(63, 'a');
  std::string const three = label + "." + label + "." + label + ".";
  EXPECT_TRUE(Name::parse(label));
  EXPECT_FALSE(Name::parse(label + "a"));
  EXPECT_TRUE(Name::parse(three + std::string(61, 'b')));
  EXPECT_FALSE(Name::parse(three + std::string(62, 'b')));
  EXPECT_TRUE(Name::parse(three + std::string(61, 'b') + "."));
  EXPECT_FALSE(Name::parse(three + std::string(62, 'b') + "."));
  EXPECT_FALSE(Name::parse("a..b"));
  EXPECT_FALSE(Name::parse(".a"));
  EXPECT_FALSE(Name::parse("a\\"));
  EXPECT_FALSE(Name::parse("a\\25"));
  EXPECT_FALSE(Name::parse("a\\256"));
  EXPECT_FALSE(Name::parse_wire(hex("0361")));
  EXPECT_FALSE(Name::parse_wire(hex("036162630000")));
  EXPECT_FALSE(Name::parse_wire(hex("c000")));
  EXPECT_FALSE(Name::parse_wire({}));
}

TEST(dns_name, relative_names_get_the_origin) {
  Name const origin = name("example.org");
  EXPECT_EQ(Name::parse_relative("www", origin).value().to_string(), "www.example.org.");
  EXPECT_EQ(Name::parse_relative("www.", origin).value().to_string(), "www.");
  EXPECT_EQ(Name::parse_relative("@", origin).value(), origin);
  EXPECT_FALSE(Name::parse_relative("", origin));
  EXPECT_EQ(name("a.b.example.org").to_string_relative(origin), "a.b");
  EXPECT_EQ(origin.to_string_relative(origin), "@");
  EXPECT_EQ(name("a.b").to_string_relative(origin), "a.b.");
}

TEST(dns_name, comparison_ignores_the_case_of_ascii_letters_only) {
  EXPECT_EQ(name("WWW.Example"), name("www.eXAMPLE"));
  EXPECT_FALSE(name("a\\200") == name("a\\232"));
  EXPECT_EQ(HashName{}(name("ABC")), HashName{}(name("abc")));
  EXPECT_FALSE(name("ABC") < name("abc"));
  EXPECT_TRUE(name("ABC") < name("abd"));
  EXPECT_EQ(encode_hex(name("AbC").to_lower().wire()), encode_hex(name("abc").wire()));
}

TEST(dns_name, subdomains_begin_at_a_label) {
  EXPECT_TRUE(name("a.B.c").is_subdomain_of(name("b.C")));
  EXPECT_TRUE(name("b.c").is_subdomain_of(name("b.c")));
  EXPECT_TRUE(name("b.c").is_subdomain_of(Name()));
  EXPECT_FALSE(name("ab.c").is_subdomain_of(name("b.c")));
  EXPECT_FALSE(name("c").is_subdomain_of(name("b.c")));
  // The label "\001b" ends in the bytes of the name "b".
  EXPECT_FALSE(name("x\\001b").is_subdomain_of(name("b")));
  EXPECT_EQ(name("a.b.c").parent(), name("b.c"));
  EXPECT_EQ(Name().parent(), Name());
  EXPECT_TRUE(name("*.a").is_wildcard());
  EXPECT_FALSE(name("**.a").is_wildcard());
  EXPECT_EQ(name("a.b.c").last_label(), "c");
}

TEST(dns_message, a_query_survives_the_round_trip) {
  Message query;
  query.id = 0x1234;
  query.recursion_desired = true;
  query.questions.push_back({name("www.example"), RecordType::https, RecordClass::in});
  query.edns = Edns{.udp_size = 4096, .dnssec_ok = true, .options = {{10, hex("0102")}}};
  Bytes const bytes = encode_message(query).value();
  EXPECT_EQ(encode_hex(bytes),
            "12340100000100000000000103777777076578616d706c65000041000100002910000000800000"
            "06000a00020102");
  EXPECT_EQ(parse_message(bytes, rules_for_sockets).value(), query);
}

std::vector<std::string> lines_of(std::vector<ResourceRecord> const& records) {
  std::vector<std::string> out;
  for (ResourceRecord const& record : records) out.push_back(encode_record_text(record, Name()));
  return out;
}

std::vector<std::string> lines_at(boost::json::value const& object, char const* member) {
  std::vector<std::string> out;
  for (auto const& line : object.at(member).as_array()) out.emplace_back(line.as_string());
  return out;
}

TEST(dns_message, messages_of_an_independent_codec_parse_and_encode) {
  auto const vectors = test::load_vectors("dns_messages.json");
  for (auto const& vector : vectors.at("messages").as_array()) {
    SCOPED_TRACE(test::text_at(vector, "name"));
    auto const message = parse_message(test::hex_at(vector, "wire"), rules_for_sockets);
    ASSERT_TRUE(message) << message.error().detail;
    auto const& expected = vector.at("records");
    std::vector<std::string> questions;
    for (Question const& question : message->questions) {
      questions.push_back(question.name.to_string() + " " + encode_record_type(question.type));
    }
    EXPECT_EQ(questions, lines_at(expected, "questions"));
    EXPECT_EQ(lines_of(message->answers), lines_at(expected, "answers"));
    EXPECT_EQ(lines_of(message->authorities), lines_at(expected, "authorities"));
    EXPECT_EQ(lines_of(message->additionals), lines_at(expected, "additionals"));
    EXPECT_EQ(message->edns.has_value(), expected.as_object().contains("edns"));
    Bytes const bytes = encode_message(*message).value();
    EXPECT_EQ(parse_message(bytes, rules_for_sockets).value(), *message);
    // dnspython compresses SRV targets too, so only messages without them agree in every byte.
    if (test::text_at(vector, "name") != "every type at once") {
      EXPECT_EQ(encode_hex(bytes), test::text_at(vector, "wire"));
    }
  }
}

TEST(dns_message, every_header_bit_survives_the_round_trip) {
  for (unsigned bit = 0; bit < 32; ++bit) {
    Bytes bytes(12);
    bytes[bit / 8] = static_cast<std::uint8_t>(1U << bit % 8);
    auto const message = parse_message(bytes, rules_for_sockets);
    ASSERT_TRUE(message);
    EXPECT_EQ(encode_message(*message).value(), bytes) << "bit " << bit;
  }
}

TEST(dns_message, extended_response_codes_travel_in_edns) {
  Message reply;
  reply.response = true;
  reply.code = ResponseCode::bad_version;
  reply.edns.emplace();
  auto const parsed = parse_message(encode_message(reply).value(), rules_for_sockets).value();
  EXPECT_EQ(parsed, reply);
}

TEST(dns_message, suffixes_are_compressed_only_where_the_case_agrees) {
  Message message;
  message.answers = {
      ResourceRecord::make(name("a.Key"), 1, RecordType::cname, Cname{name("b.Key")}),
      ResourceRecord::make(name("c.key"), 1, RecordType::srv, Srv{1, 2, 3, name("a.Key")}),
  };
  Bytes const bytes = encode_message(message).value();
  EXPECT_EQ(encode_hex(base::ByteView(bytes).subspan(12)),
            "0161034b65790000050001000000010004"
            "0162c00e"
            "0163036b657900"
            "002100010000000100"
            "0d0001000200030161034b657900");
  auto const parsed = parse_message(bytes, rules_for_sockets).value();
  EXPECT_EQ(parsed.answers, message.answers);
}

TEST(dns_message, pointers_must_point_backwards) {
  std::string const header = "000000000001000000000000";
  EXPECT_FALSE(parse_message(hex(header + "c00c00010001"), rules_for_sockets));  // itself
  EXPECT_FALSE(parse_message(hex(header + "c01000010001c00c"), rules_for_sockets));
  EXPECT_FALSE(parse_message(hex(header + "0161c00c00010001"), rules_for_sockets));  // a loop
  EXPECT_FALSE(parse_message(hex(header + "4000010001"), rules_for_sockets));
  EXPECT_FALSE(parse_message(hex(header + "c0"), rules_for_sockets));
  EXPECT_TRUE(parse_message(hex("000000000002000000000000"
                                "016100"
                                "00010001"
                                "c00c"
                                "00010001"),
                            rules_for_sockets));
}

TEST(dns_message, a_name_made_long_by_pointers_is_refused) {
  // Each of five questions adds a label of 63 bytes before the one above.
  Bytes bytes = hex("000000000005000000000000");
  std::size_t above = 0;
  for (int i = 0; i < 5; ++i) {
    std::size_t const here = bytes.size();
    bytes.push_back(63);
    bytes.insert(bytes.end(), 63, 'a');
    if (i == 0) {
      bytes.push_back(0);
    } else {
      base::append(bytes, Bytes{static_cast<std::uint8_t>(0xc0 | above >> 8),
                                static_cast<std::uint8_t>(above)});
    }
    base::append(bytes, hex("00010001"));
    above = here;
    bytes[5] = static_cast<std::uint8_t>(i + 1);
    EXPECT_EQ(parse_message(bytes, rules_for_sockets).has_value(), i < 3) << i;
  }
}

TEST(dns_message, signed_packets_and_sockets_have_their_own_rules) {
  Bytes bytes = encode_message({}).value();
  bytes.push_back(0);
  EXPECT_FALSE(parse_message(bytes, rules_for_sockets));
  EXPECT_TRUE(parse_message(bytes, rules_for_signed_packets));
  bytes.pop_back();
  bytes[3] = 0x40;
  EXPECT_TRUE(parse_message(bytes, rules_for_sockets));
  EXPECT_FALSE(parse_message(bytes, rules_for_signed_packets));
  std::string const start =
      "000080000000000100000000"
      "00"
      "0001";
  std::string const end =
      "00000000"
      "0004"
      "7f000001";
  EXPECT_TRUE(parse_message(hex(start + "0001" + end), rules_for_signed_packets));
  EXPECT_TRUE(parse_message(hex(start + "8001" + end), rules_for_signed_packets));
  EXPECT_TRUE(parse_message(hex(start + "00fe" + end), rules_for_signed_packets));
  EXPECT_FALSE(parse_message(hex(start + "00ff" + end), rules_for_signed_packets));
  EXPECT_TRUE(parse_message(hex(start + "00ff" + end), rules_for_sockets));
}

TEST(dns_message, counts_beyond_the_bytes_are_refused) {
  EXPECT_FALSE(parse_message(hex("0000800000000001000000"), rules_for_sockets));
  EXPECT_FALSE(parse_message(hex("000080000000000100000000"), rules_for_sockets));
  EXPECT_FALSE(parse_message(hex("00008000ffffffffffffffff"), rules_for_sockets));
}

TEST(dns_message, data_must_fill_its_length_exactly) {
  std::string const start =
      "000080000000000100000000"
      "00";
  auto const accepts = [&](std::string const& rest) {
    return parse_message(hex(start + rest), rules_for_sockets).has_value();
  };
  EXPECT_TRUE(
      accepts("0001"
              "0001"
              "00000000"
              "0004"
              "7f000001"));
  EXPECT_FALSE(
      accepts("0001"
              "0001"
              "00000000"
              "0003"
              "7f0000"));
  EXPECT_FALSE(
      accepts("0001"
              "0001"
              "00000000"
              "0005"
              "7f00000100"));
  EXPECT_FALSE(
      accepts("0001"
              "0001"
              "00000000"
              "0004"
              "7f0000"));
  EXPECT_TRUE(
      accepts("0001"
              "0001"
              "00000000"
              "0000"));  // empty data
  EXPECT_FALSE(
      accepts("0010"
              "0001"
              "00000000"
              "0003"
              "036162"));  // TXT cut short
  EXPECT_TRUE(
      accepts("0041"
              "0001"
              "00000000"
              "0007"
              "000100"
              "00020000"));
  EXPECT_FALSE(
      accepts("0041"
              "0001"
              "00000000"
              "000b"
              "000100"
              "00020000"
              "00020000"));
  EXPECT_FALSE(
      accepts("0041"
              "0001"
              "00000000"
              "000b"
              "000100"
              "00030000"
              "00020000"));
}

TEST(dns_message, opt_is_the_roots_and_alone) {
  std::string const opt =
      "00"
      "0029"
      "04d0"
      "00000000"
      "0000";
  EXPECT_TRUE(parse_message(hex("000000000000000000000001" + opt), rules_for_sockets));
  EXPECT_FALSE(parse_message(hex("000000000000000000000002" + opt + opt), rules_for_sockets));
  EXPECT_FALSE(parse_message(hex("000000000000000000000001"
                                 "0161" +
                                 opt),
                             rules_for_sockets));
  EXPECT_FALSE(parse_message(hex("000000000000000000000001"
                                 "00"
                                 "0029"
                                 "04d0"
                                 "00000000"
                                 "0003"
                                 "000a00"),
                             rules_for_sockets));
}

TEST(dns_message, truncation_keeps_whole_records_and_says_so) {
  Message reply;
  reply.response = true;
  reply.questions.push_back({name("example"), RecordType::a, RecordClass::in});
  reply.edns.emplace();
  reply.answers.assign(100,
                       ResourceRecord::make(name("example"), 60, RecordType::a, A{{192, 0, 2, 1}}));
  EXPECT_EQ(encode_message(reply, 512).error().code, base::ErrorCode::dns_too_large);
  Bytes const cut = encode_truncated(reply, 512).value();
  EXPECT_LE(cut.size(), 512U);
  auto const parsed = parse_message(cut, rules_for_sockets).value();
  EXPECT_TRUE(parsed.truncated);
  EXPECT_EQ(parsed.answers.size(), 29U);
  EXPECT_TRUE(parsed.edns);
  EXPECT_FALSE(encode_truncated(reply, 20));
  reply.additionals.swap(reply.answers);
  EXPECT_FALSE(parse_message(encode_truncated(reply, 512).value(), rules_for_sockets)->truncated);
}

TEST(dns_message, a_large_message_parses_to_what_was_encoded) {
  Message message;
  for (int i = 0; i < 1000; ++i) {
    std::string const label = "host-" + std::to_string(i);
    message.answers.push_back(ResourceRecord::make(name(label + ".zone" + std::to_string(i % 7)), 1,
                                                   RecordType::cname, Cname{name("t." + label)}));
  }
  Bytes const bytes = encode_message(message).value();
  EXPECT_GT(bytes.size(), 0x4000U);  // beyond the reach of pointers
  EXPECT_EQ(parse_message(bytes, rules_for_sockets).value(), message);
}

TEST(dns_record, long_text_is_cut_as_pkarr_cuts_it) {
  std::string const text(600, 'x');
  Txt const txt = Txt::from({text, ""});
  auto const strings = txt.strings();
  ASSERT_EQ(strings.size(), 4U);
  EXPECT_EQ(strings[0].size(), 254U);
  EXPECT_EQ(strings[2].size(), 92U);
  EXPECT_EQ(strings[3].size(), 0U);
  EXPECT_EQ(txt.joined(), text);
}

TEST(dns_record, types_and_classes_have_names_or_numbers) {
  EXPECT_EQ(encode_record_type(RecordType::https), "HTTPS");
  EXPECT_EQ(encode_record_type(RecordType{4711}), "TYPE4711");
  EXPECT_EQ(parse_record_type("https"), RecordType::https);
  EXPECT_EQ(parse_record_type("type65"), RecordType::https);
  EXPECT_EQ(parse_record_type("TYPE65536"), std::nullopt);
  EXPECT_EQ(parse_record_type("WWW"), std::nullopt);
  EXPECT_EQ(parse_record_class("CLASS1"), RecordClass::in);
}

TEST(svcb, parameters_are_kept_in_order_and_read_by_key) {
  Svcb record{.priority = 1, .target = {}, .params = {}};
  record.set_port(8443);
  record.set_alpn({"h3", "h2"});
  record.set(svc_key::ipv4hint, hex("c0000201c0000202"));
  record.set_port(443);
  ASSERT_EQ(record.params.size(), 3U);
  EXPECT_EQ(record.params[0].key, svc_key::alpn);
  EXPECT_EQ(record.port(), 443);
  EXPECT_EQ(record.alpn(), (std::vector<std::string_view>{"h3", "h2"}));
  EXPECT_EQ(record.ipv4hints()[1].to_string(), "192.0.2.2");
  EXPECT_TRUE(record.is_well_formed());
  record.set(svc_key::mandatory, hex("00010004"));
  EXPECT_TRUE(record.is_well_formed());
  record.set(svc_key::mandatory, hex("00010005"));  // names an absent key
  EXPECT_FALSE(record.is_well_formed());
  record.set(svc_key::mandatory, hex("00040001"));
  EXPECT_FALSE(record.is_well_formed());
}

TEST(svcb, malformed_values_are_seen) {
  auto const with = [](std::uint16_t key, std::string_view value) {
    Svcb record{.priority = 1, .target = {}, .params = {}};
    record.set(key, hex(value));
    return record.is_well_formed();
  };
  EXPECT_FALSE(with(svc_key::port, "01"));
  EXPECT_FALSE(with(svc_key::alpn, ""));
  EXPECT_FALSE(with(svc_key::alpn, "0268"));
  EXPECT_FALSE(with(svc_key::alpn, "00"));
  EXPECT_FALSE(with(svc_key::no_default_alpn, ""));  // alone
  EXPECT_FALSE(with(svc_key::ipv4hint, "c00002"));
  EXPECT_FALSE(with(svc_key::ipv6hint, ""));
  EXPECT_FALSE(with(svc_key::ech, "0002ff"));
  EXPECT_TRUE(with(svc_key::ech, "0001ff"));
  EXPECT_TRUE(with(667, ""));
}

}  // namespace
}  // namespace dotkey::wire::dns
