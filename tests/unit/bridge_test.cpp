// SPDX-License-Identifier: Apache-2.0
// The bridge: what packets and upstreams make of a client's question.
#include "tests/unit/bridge_fixture.h"

namespace dotkey::bridge {
namespace {

TEST_F(BridgeTest, a_key_is_found_with_and_without_its_top_level) {
  for (std::string const& name : {key, key + ".key"}) {
    dns::Message const reply = ask(name, RecordType::a);
    EXPECT_EQ(reply.id, 0x1234);
    EXPECT_TRUE(reply.response && reply.authoritative && reply.recursion_available);
    EXPECT_EQ(reply.code, ResponseCode::no_error);
    ASSERT_EQ(reply.answers.size(), 1U);
    EXPECT_EQ(reply.answers[0].name, dns_name(name));
    EXPECT_EQ(address_of(reply.answers[0]), "192.0.2.1");
  }
}

TEST_F(BridgeTest, the_spelling_of_each_client_comes_back) {
  ask(key + ".key", RecordType::a);
  std::string mixed = key + ".kEy";
  mixed[3] = static_cast<char>(std::toupper(mixed[3]));
  auto const reply = send(question(mixed, RecordType::a));
  ASSERT_TRUE(reply);
  EXPECT_EQ(bridge->counters().from_cache, 1U);
  EXPECT_EQ(reply->questions[0].name.to_string(), mixed + ".");
  EXPECT_EQ(reply->answers[0].name.to_string(), mixed + ".");
}

TEST_F(BridgeTest, ttls_count_down_from_when_the_packet_was_seen) {
  last_seen = now.unix_time - Duration::from_s(100);
  EXPECT_EQ(ask(key, RecordType::a).answers.at(0).ttl_s, 200U);
  pass(Duration::from_s(50));
  EXPECT_EQ(ask(key, RecordType::a).answers.at(0).ttl_s, 150U);
  EXPECT_EQ(asked_keys.size(), 1U);
  pass(Duration::from_s(151));
  last_seen = now.unix_time;
  EXPECT_EQ(ask(key, RecordType::a).answers.at(0).ttl_s, 300U);
  EXPECT_EQ(asked_keys.size(), 2U);
}

TEST_F(BridgeTest, aliases_are_followed_inside_a_packet_and_to_another_key) {
  dns::Message const inside = ask("www." + key + ".key", RecordType::a);
  ASSERT_EQ(inside.answers.size(), 2U);
  EXPECT_EQ(inside.answers[1].name, dns_name(key + ".key"));
  dns::Message const across = ask("other." + key + ".key", RecordType::a);
  ASSERT_EQ(across.answers.size(), 2U);
  EXPECT_EQ(std::get<dns::Cname>(across.answers[0].data).target, dns_name(key_text(2) + ".key"));
  EXPECT_EQ(across.answers[1].name, dns_name(key_text(2) + ".key"));
  EXPECT_EQ(address_of(across.answers[1]), "192.0.2.2");
}

TEST_F(BridgeTest, an_alias_is_followed_to_an_icann_name) {
  upstream = {a_record("host.example", "198.51.100.1", 60),
              a_record("bank.example", "198.51.100.2", 60)};
  dns::Message const reply = ask("out." + key + ".key", RecordType::a);
  ASSERT_EQ(reply.answers.size(), 2U) << "records that were not asked for";
  EXPECT_EQ(address_of(reply.answers[1]), "198.51.100.1");
  EXPECT_EQ(asked_names, std::vector<std::string>{"host.example."});
}

TEST_F(BridgeTest, signatures_go_to_those_who_ask_for_them) {
  dns::RawData const signature{{0, 1, 13, 2, 0, 0, 14, 16}};
  auto const rrsig = RecordType{46};
  upstream = {
      a_record("host.example", "198.51.100.1", 60),
      dns::ResourceRecord::make(dns_name("host.example"), 60, rrsig, signature),
  };
  EXPECT_EQ(ask("host.example", RecordType::a).answers.size(), 1U);
  dns::Message query = question("host.example", RecordType::a);
  query.edns.emplace();
  EXPECT_EQ(send(query).value_or(dns::Message()).answers.size(), 1U);
  query.edns->dnssec_ok = true;
  EXPECT_EQ(send(query).value_or(dns::Message()).answers.size(), 2U);
  EXPECT_EQ(ask("host.example", rrsig).answers.size(), 1U) << "asked for by name (RFC 4035 §3.2.1)";
}

TEST_F(BridgeTest, an_icann_name_may_lead_to_a_key) {
  upstream = {cname_record("shop.example", key + ".key")};
  upstream_code = ResponseCode::name_error;
  dns::Message const reply = ask("shop.example", RecordType::a);
  EXPECT_EQ(reply.code, ResponseCode::no_error);
  ASSERT_EQ(reply.answers.size(), 2U);
  EXPECT_EQ(address_of(reply.answers[1]), "192.0.2.1");
}

TEST_F(BridgeTest, a_circle_of_aliases_ends_in_a_failure) {
  EXPECT_EQ(ask("loop." + key, RecordType::a).code, ResponseCode::server_failure);
}

TEST_F(BridgeTest, a_wildcard_answers_for_names_that_do_not_exist) {
  dns::Message const reply = ask("x.y.any." + key, RecordType::a);
  ASSERT_EQ(reply.answers.size(), 1U);
  EXPECT_EQ(reply.answers[0].name, dns_name("x.y.any." + key));
  EXPECT_EQ(ask("x." + key, RecordType::a).code, ResponseCode::name_error);
}

TEST_F(BridgeTest, nothing_there_is_said_with_a_soa_record) {
  dns::Message const no_name = ask("nope." + key + ".key", RecordType::a);
  EXPECT_EQ(no_name.code, ResponseCode::name_error);
  ASSERT_EQ(no_name.authorities.size(), 1U);
  EXPECT_EQ(no_name.authorities[0].type, RecordType::soa);
  EXPECT_EQ(no_name.authorities[0].name, dns_name(key + ".key"));
  EXPECT_LE(no_name.authorities[0].ttl_s, 60U);
  dns::Message const no_type = ask(key + ".key", RecordType::mx);
  EXPECT_EQ(no_type.code, ResponseCode::no_error);
  EXPECT_TRUE(no_type.answers.empty());
  EXPECT_EQ(no_type.authorities.size(), 1U);
  // RFC 8020: below it something exists.
  EXPECT_EQ(ask("down." + key, RecordType::a).code, ResponseCode::no_error);
}

TEST_F(BridgeTest, a_key_without_a_packet_does_not_exist) {
  dns::Message const reply = ask(key_text(9) + ".key", RecordType::a);
  EXPECT_EQ(reply.code, ResponseCode::name_error);
  EXPECT_EQ(reply.authorities.at(0).name, dns_name("key"));
}

TEST_F(BridgeTest, a_failed_network_is_a_failure_that_says_so) {
  missing = resolve::Verdict::network_failed;
  dns::Message query = question(key_text(9) + ".key", RecordType::a);
  query.edns.emplace();
  auto const reply = send(query);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->code, ResponseCode::server_failure);
  EXPECT_EQ(extended_error_of(*reply), ExtendedError::network_error);
  std::size_t const asked = asked_keys.size();
  send(query);
  EXPECT_EQ(asked_keys.size(), asked) << "a failure is remembered for some seconds";
  pass(Duration::from_s(6));
  send(query);
  EXPECT_EQ(asked_keys.size(), asked + 1);
}

TEST_F(BridgeTest, an_old_answer_goes_before_a_failure) {
  ask(key, RecordType::a);
  pass(Duration::from_s(301));
  packets.clear();
  missing = resolve::Verdict::network_failed;
  dns::Message query = question(key, RecordType::a);
  query.edns.emplace();
  auto const reply = send(query);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->code, ResponseCode::no_error);
  EXPECT_EQ(reply->answers.at(0).ttl_s, 30U);
  EXPECT_EQ(extended_error_of(*reply), ExtendedError::stale_answer);
}

TEST_F(BridgeTest, names_of_ours_are_never_forwarded) {
  std::string broken = key;
  broken[10] = broken[10] == 'y' ? 'b' : 'y';
  for (std::string const& name :
       {std::string("foo.key"), std::string("key"), std::string("a.b.KEY"), broken, "x." + broken,
        std::string(52, 'l') + ".key", key_text(9), key_text(9) + ".key"}) {
    send(question(name, RecordType::a));
  }
  EXPECT_TRUE(asked_names.empty()) << asked_names[0];
}

TEST_F(BridgeTest, records_that_come_with_an_error_are_a_failure) {
  upstream = {a_record("host.example", "198.51.100.1", 60)};
  // Those above 15 need EDNS (RFC 6891 §6.1.3): not every client can be told.
  for (unsigned const code : {2U, 5U, 15U, 16U, 23U, 0xf20U}) {
    upstream_code = ResponseCode{static_cast<std::uint16_t>(code)};
    EXPECT_EQ(ask("host.example", RecordType::a).code, ResponseCode::server_failure) << code;
    pass(Duration::from_s(6));
  }
}

TEST_F(BridgeTest, without_an_upstream_other_names_are_refused) {
  has_upstream = false;
  EXPECT_EQ(ask("example.com", RecordType::a).code, ResponseCode::refused);
  EXPECT_EQ(ask("out." + key, RecordType::a).code, ResponseCode::server_failure);
}

TEST_F(BridgeTest, private_addresses_are_kept_back) {
  dns::Message query = question("home." + key, RecordType::a);
  query.edns.emplace();
  auto const reply = send(query);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->code, ResponseCode::no_error);
  EXPECT_TRUE(reply->answers.empty());
  EXPECT_EQ(extended_error_of(*reply), ExtendedError::filtered);
  upstream = {a_record("host.example", "127.0.0.1"), a_record("host.example", "198.51.100.1")};
  dns::Message const out = ask("out." + key, RecordType::a);
  ASSERT_EQ(out.answers.size(), 2U);
  EXPECT_EQ(address_of(out.answers[1]), "198.51.100.1");
}

TEST_F(BridgeTest, a_key_that_the_user_trusts_may_lead_home) {
  settings.rules.local_keys.insert(packets[0].key());
  bridge.emplace(settings, entropy);
  EXPECT_EQ(ask("home." + key, RecordType::a).answers.size(), 1U);
}

TEST_F(BridgeTest, a_record_without_data_says_nothing_of_its_name) {
  std::vector<dns::ResourceRecord> records;
  for (RecordType const type :
       {RecordType::a, RecordType::aaaa, RecordType::ns, RecordType::cname, RecordType::ptr,
        RecordType::soa, RecordType::mx, RecordType::txt, RecordType::srv, RecordType::tlsa,
        RecordType::svcb, RecordType::https, RecordType::sshfp, RecordType::caa}) {
    std::string const name = "x" + std::to_string(records.size());
    records.push_back(dns::ResourceRecord::make(dns_name(name), 300, type, dns::RawData{}));
    records.push_back(dns::ResourceRecord::make(dns_name("@"), 300, type, dns::RawData{}));
  }
  packets = {packet_of(1, stamp_us, records)};
  for (auto const& record : packets.front().records()) {
    for (RecordType const type : {record.type, RecordType::a, RecordType::soa}) {
      dns::Message const reply = ask(record.name.to_string(), type);
      EXPECT_EQ(reply.code, ResponseCode::no_error);
      EXPECT_TRUE(reply.answers.empty());
      ASSERT_EQ(reply.authorities.size(), 1U);
      EXPECT_TRUE(std::holds_alternative<dns::Soa>(reply.authorities[0].data));
    }
  }
}

TEST_F(BridgeTest, name_servers_of_a_packet_are_asked_for_what_it_delegates) {
  dns::Message answer;
  answer.response = answer.authoritative = true;
  answer.answers = {a_record("host.sub." + key, "198.51.100.9", 60),
                    a_record("evil.example", "198.51.100.66", 60)};
  server_answer = answer;
  dns::Message const reply = ask("host.sub." + key + ".key", RecordType::a);
  ASSERT_EQ(asked_servers.size(), 1U);
  EXPECT_EQ(asked_servers[0].servers.at(0).to_string(), "192.0.2.53:53");
  EXPECT_EQ(asked_servers[0].name, dns_name("host.sub." + key));
  ASSERT_EQ(reply.answers.size(), 1U);
  EXPECT_EQ(reply.answers[0].name, dns_name("host.sub." + key + ".key"));
  EXPECT_EQ(address_of(reply.answers[0]), "198.51.100.9");
}

TEST_F(BridgeTest, a_name_server_with_an_icann_name_is_looked_up) {
  upstream = {a_record("ns.servers.net", "198.51.100.53", 60)};
  dns::Message answer;
  answer.response = answer.authoritative = true;
  answer.answers = {a_record("host.far." + key, "198.51.100.9", 60)};
  server_answer = answer;
  dns::Message const reply = ask("host.far." + key, RecordType::a);
  EXPECT_EQ(asked_names, std::vector<std::string>{"ns.servers.net."});
  ASSERT_EQ(asked_servers.size(), 1U);
  EXPECT_EQ(asked_servers[0].servers.at(0).to_string(), "198.51.100.53:53");
  ASSERT_EQ(reply.answers.size(), 1U);
  EXPECT_EQ(address_of(reply.answers[0]), "198.51.100.9");
}

TEST_F(BridgeTest, a_name_server_cannot_have_names_of_ours_looked_up) {
  for (std::string const& server : std::vector<std::string>{"www.secret.key", "secret.x.key", "key",
                                                            "localhost", key.substr(1) + "9"}) {
    dns::Message referral;
    referral.response = true;
    auto const cut = dns_name("deep.sub." + key);
    referral.authorities = {dns::ResourceRecord::make(
        cut, 300, RecordType::ns, dns::Ns{dns_name(std::string(server) + ".")})};
    server_answer = referral;
    asked_names.clear();
    ASSERT_EQ(ask("host.deep.sub." + key, RecordType::a).code, ResponseCode::server_failure);
    EXPECT_TRUE(asked_names.empty()) << asked_names.front();
    pass(Duration::from_s(60));
  }
}

TEST_F(BridgeTest, a_name_server_that_is_silent_is_a_failure) {
  EXPECT_EQ(ask("host.sub." + key, RecordType::a).code, ResponseCode::server_failure);
}

TEST_F(BridgeTest, replies_are_fresh_as_long_as_their_smallest_ttl) {
  dns::Message const query = question(key, RecordType::a);
  EXPECT_EQ(freshness_s(*send(ByteView(dns::encode_message(query).value()))), 300U);
  dns::Message const nothing = question("nope." + key, RecordType::a);
  EXPECT_EQ(freshness_s(*send(ByteView(dns::encode_message(nothing).value()))), 60U);
  EXPECT_EQ(freshness_s(Bytes(4)), 0U);
}

}  // namespace
}  // namespace dotkey::bridge
