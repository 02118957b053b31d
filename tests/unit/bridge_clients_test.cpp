// SPDX-License-Identifier: Apache-2.0
// The bridge: whom it answers, how much, and what it makes of odd queries.
#include "tests/unit/bridge_fixture.h"

namespace dotkey::bridge {
namespace {

TEST_F(BridgeTest, any_gets_the_least_answer) {
  dns::Message const reply = ask(key, RecordType::any);
  ASSERT_EQ(reply.answers.size(), 1U);
  EXPECT_EQ(static_cast<int>(reply.answers[0].type), 13);
  EXPECT_TRUE(asked_keys.empty());
}

TEST_F(BridgeTest, other_classes_opcodes_and_transfers_are_turned_down) {
  dns::Message chaos = question("version.bind", RecordType::txt);
  chaos.questions[0].record_class = dns::RecordClass::ch;
  EXPECT_EQ(send(chaos)->code, ResponseCode::refused);
  EXPECT_EQ(ask(key, RecordType{252}).code, ResponseCode::refused);
  dns::Message notify = question(key, RecordType::soa);
  notify.opcode = dns::Opcode::notify;
  auto const reply = send(notify);
  EXPECT_EQ(reply->code, ResponseCode::not_implemented);
  EXPECT_EQ(reply->opcode, dns::Opcode::notify);
  dns::Message response = question(key, RecordType::a);
  response.response = true;
  EXPECT_FALSE(send(response)) << "two servers would talk for ever";
}

TEST_F(BridgeTest, a_later_edns_version_is_told_so) {
  dns::Message query = question(key, RecordType::a);
  query.edns.emplace();
  query.edns->version = 1;
  auto const reply = send(query);
  EXPECT_EQ(reply->code, ResponseCode::bad_version);
  EXPECT_EQ(reply->edns->version, 0);
  EXPECT_TRUE(reply->answers.empty());
}

TEST_F(BridgeTest, broken_queries_get_a_format_error) {
  Bytes const good = dns::encode_message(question(key, RecordType::a)).value();
  Bytes cut(good.begin(), good.end() - 1);
  auto const reply = send(ByteView(cut));
  ASSERT_TRUE(reply);
  EXPECT_EQ((*reply)[3] & 15, 1);
  EXPECT_FALSE(send(ByteView(good).first(11)));
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ((*send(ByteView(longer)))[3] & 15, 1);
}

TEST_F(BridgeTest, what_does_not_fit_is_truncated) {
  dns::Message query = question("long." + key, RecordType::txt);
  auto const small = send(query);
  EXPECT_TRUE(small->truncated);
  EXPECT_TRUE(small->answers.empty());
  query.edns.emplace();
  query.edns->udp_size = 4096;
  EXPECT_FALSE(send(query)->truncated);
  sender.transport = Transport::tcp;
  query.edns.reset();
  EXPECT_FALSE(send(query)->truncated);
}

TEST_F(BridgeTest, an_unproven_address_gets_little_more_than_it_sent) {
  sender.trusted = false;
  for (bool const with_edns : {false, true}) {
    for (std::string const& name : {key, "long." + key, "nope." + key, std::string("key")}) {
      for (auto const type : {RecordType::a, RecordType::txt, RecordType::any}) {
        dns::Message query = question(name, type);
        if (with_edns) query.edns.emplace();
        Bytes const bytes = dns::encode_message(query).value();
        auto const reply = send(ByteView(bytes));
        ASSERT_TRUE(reply);
        EXPECT_LE(reply->size() * 2, bytes.size() * 3);
      }
    }
  }
}

TEST_F(BridgeTest, a_cookie_proves_an_address) {
  sender.trusted = false;
  dns::Message query = question("deep.down." + key, RecordType::txt);
  query.edns.emplace();
  query.edns->options.push_back({option_code::cookie, Bytes(8, 0x24)});
  Bytes const cookie = cookie_of(*send(query));
  ASSERT_EQ(cookie.size(), 24U);
  query.questions[0].name = dns_name("long." + key);
  auto const first = send(query);
  EXPECT_EQ(first->code, ResponseCode::bad_cookie);
  EXPECT_TRUE(first->answers.empty());
  query.edns->options[0].value = cookie_of(*first);
  EXPECT_EQ(send(query)->answers.size(), 1U);
  // Somebody else's, one that was changed, and one from long ago.
  sender.address = base::IpAddress::v4({127, 0, 0, 2});
  EXPECT_EQ(send(query)->code, ResponseCode::bad_cookie);
  sender.address = base::IpAddress::v4({127, 0, 0, 1});
  query.edns->options[0].value[20] ^= 1;
  EXPECT_EQ(send(query)->code, ResponseCode::bad_cookie);
  query.edns->options[0].value[20] ^= 1;
  pass(Duration::from_s(3601));
  EXPECT_EQ(send(query)->code, ResponseCode::bad_cookie);
}

TEST_F(BridgeTest, strangers_are_not_served_unless_allowed) {
  sender.address = base::IpAddress::v4({8, 8, 8, 8});
  EXPECT_EQ(ask(key, RecordType::a).code, ResponseCode::refused);
  EXPECT_EQ(bridge->counters().denied, 1U);
  EXPECT_TRUE(asked_keys.empty());
  settings.admission.allowed = {*base::IpPrefix::parse("8.8.8.0/24")};
  bridge.emplace(settings, entropy);
  EXPECT_EQ(ask(key, RecordType::a).code, ResponseCode::no_error);
  sender.address = base::IpAddress::v4({8, 8, 9, 8});
  EXPECT_EQ(ask(key, RecordType::a).code, ResponseCode::refused);
}

TEST_F(BridgeTest, a_flood_from_one_network_gets_little_and_others_are_served) {
  settings.admission.allowed = {*base::IpPrefix::parse("0.0.0.0/0")};
  bridge.emplace(settings, entropy);
  sender.trusted = false;
  Bytes const query = dns::encode_message(question(key, RecordType::a)).value();
  std::size_t replies_seen = 0;
  std::size_t answered = 0;
  for (int i = 0; i < 10'000; ++i) {
    sender.address = base::IpAddress::v4({198, 51, 100, static_cast<std::uint8_t>(i)});
    auto const reply = send(ByteView(query));
    if (!reply) continue;
    ++replies_seen;
    if (!dns::parse_message(*reply, dns::rules_for_sockets)->truncated) ++answered;
  }
  EXPECT_LE(answered, settings.admission.unproven_burst);
  EXPECT_LE(replies_seen, settings.admission.unproven_burst + 5000U);
  sender.address = base::IpAddress::v4({198, 51, 101, 1});
  EXPECT_EQ(ask(key, RecordType::a).answers.size(), 1U);
  // One who proves its address has a share of its own.
  sender.address = base::IpAddress::v4({198, 51, 100, 9});
  sender.transport = Transport::tcp;
  EXPECT_EQ(ask(key, RecordType::a).answers.size(), 1U);
}

TEST_F(BridgeTest, a_client_that_asks_too_much_is_told_so) {
  settings.admission.allowed = {*base::IpPrefix::parse("0.0.0.0/0")};
  settings.admission.client_per_s = 10;
  settings.admission.client_burst = 20;
  bridge.emplace(settings, entropy);
  sender.address = base::IpAddress::v4({198, 51, 100, 9});
  sender.transport = Transport::tls;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(key, RecordType::a).code, ResponseCode::no_error);
  EXPECT_EQ(ask(key, RecordType::a).code, ResponseCode::refused);
  pass(Duration::from_s(1));
  EXPECT_EQ(ask(key, RecordType::a).code, ResponseCode::no_error);
}

TEST_F(BridgeTest, clients_that_ask_the_same_wait_for_one_lookup) {
  silent = true;
  EXPECT_FALSE(send(question(key, RecordType::a)));
  EXPECT_FALSE(send(question(key, RecordType::a)));
  EXPECT_EQ(asked_keys.size(), 1U);
  EXPECT_EQ(bridge->counters().joined, 1U);
  pass(Duration::from_s(11));
  EXPECT_EQ(replies.size(), 2U);
  EXPECT_EQ(bridge->questions(), 0U);
}

TEST_F(BridgeTest, a_full_house_says_so_at_once) {
  settings.questions_max = 1;
  bridge.emplace(settings, entropy);
  silent = true;
  EXPECT_FALSE(send(question(key, RecordType::a)));
  EXPECT_EQ(ask("www." + key, RecordType::a).code, ResponseCode::server_failure);
}

}  // namespace
}  // namespace dotkey::bridge
