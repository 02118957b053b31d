// SPDX-License-Identifier: Apache-2.0
// The bridge: what packets and upstreams make of a client's question.
#include "core/bridge/bridge.h"

#include <gtest/gtest.h>

#include "core/base/integers.h"
#include "core/base/text.h"

#include "tests/support/packets.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::bridge {
namespace {

namespace dns = wire::dns;
using base::ErrorCode;
using dns::RecordType;
using dns::ResponseCode;
using test::a_record;
using test::cname_record;
using test::dns_name;
using test::key_text;
using test::packet_of;

constexpr std::int64_t stamp_us = 1'709'571'004'412'159;

dns::ResourceRecord ns_record(std::string_view name, std::string_view target) {
  return dns::ResourceRecord::make(dns_name(name), 300, RecordType::ns, dns::Ns{dns_name(target)});
}

dns::ResourceRecord text_record(std::string_view name, std::string_view text) {
  return dns::ResourceRecord::make(dns_name(name), 300, RecordType::txt, dns::Txt::from({text}));
}

class BridgeTest : public testing::Test {
 protected:
  dns::Message question(std::string_view name, RecordType type) {
    dns::Message out;
    out.id = 0x1234;
    out.recursion_desired = true;
    out.questions.push_back({dns_name(name), type, dns::RecordClass::in});
    return out;
  }

  // The reply to `bytes`, now or after what the world has said by then; nullopt without one.
  std::optional<Bytes> send(ByteView bytes) {
    Bytes buffer(65'535);
    std::copy(bytes.begin(), bytes.end(), buffer.begin());
    auto const size = bridge->on_query(now, sender, ClientId{++client}, buffer, bytes.size());
    if (size) {
      buffer.resize(*size);
      return buffer.empty() ? std::nullopt : std::optional(buffer);
    }
    drain();
    auto const at = replies.find(client);
    if (at == replies.end()) return std::nullopt;
    return at->second;
  }

  std::optional<dns::Message> send(dns::Message const& query) {
    auto const bytes = send(dns::encode_message(query).value());
    if (!bytes) return std::nullopt;
    return dns::parse_message(*bytes, dns::rules_for_sockets).value();
  }

  dns::Message ask(std::string_view name, RecordType type) {
    auto const reply = send(question(name, type));
    EXPECT_TRUE(reply);
    return reply.value_or(dns::Message());
  }

  // Answers from `packets`, `upstream` and `servers`.
  void drain() {
    while (auto effect = bridge->poll_effect()) {
      if (auto* lookup = std::get_if<ResolveKey>(&*effect)) {
        asked_keys.push_back(lookup->key);
        if (!silent) bridge->on_outcome(now, lookup->id, outcome_of(lookup->key));
      } else if (auto* wanted = std::get_if<AskUpstream>(&*effect)) {
        asked_names.push_back(wanted->name.to_string());
        if (!silent) bridge->on_message(now, wanted->id, upstream_answer(*wanted));
      } else if (auto* servers = std::get_if<AskServers>(&*effect)) {
        asked_servers.push_back(*servers);
        bridge->on_message(now, servers->id, server_answer);
      } else {
        auto& reply = std::get<Reply>(*effect);
        replies[static_cast<std::uint64_t>(reply.client)] = std::move(reply.message);
      }
    }
  }

  resolve::Outcome outcome_of(crypto::PublicKey const& wanted) const {
    resolve::Outcome out;
    for (auto const& packet : packets) {
      if (!(packet.key() == wanted)) continue;
      out.verdict = resolve::Verdict::found;
      out.packet = packet;
      out.last_seen = last_seen;
      out.stale = stale;
      return out;
    }
    out.verdict = missing;
    out.error =
        base::Error(missing == resolve::Verdict::not_found ? ErrorCode::resolve_not_found
                                                           : ErrorCode::resolve_network_failed);
    return out;
  }

  base::Result<dns::Message> upstream_answer(AskUpstream const& wanted) const {
    if (!has_upstream) return base::fail(ErrorCode::dns_no_upstream);
    dns::Message out;
    out.response = true;
    out.code = upstream_code;
    out.questions.push_back({wanted.name, wanted.type, dns::RecordClass::in});
    out.answers = upstream;
    return out;
  }

  void pass(Duration duration) {
    now.instant = now.instant + duration;
    now.unix_time = now.unix_time + duration;
    bridge->on_deadline(now);
    drain();
  }

  static ExtendedError extended_error_of(dns::Message const& message) {
    for (auto const& option : message.edns.value_or(dns::Edns()).options) {
      if (option.code != option_code::extended_error) continue;
      return ExtendedError{base::read_be<std::uint16_t>(option.value)};
    }
    return ExtendedError::none;
  }

  static Bytes cookie_of(dns::Message const& message) {
    for (auto const& option : message.edns.value_or(dns::Edns()).options) {
      if (option.code == option_code::cookie) return option.value;
    }
    return {};
  }

  static std::string address_of(dns::ResourceRecord const& record) {
    auto const* a = std::get_if<dns::A>(&record.data);
    return a != nullptr ? a->address().to_string() : "";
  }

  Moment now{Instant{1}, UnixTime{stamp_us + 100'000'000}};
  test::SeededEntropy entropy{7};
  BridgeSettings settings;
  std::optional<Bridge> bridge{std::in_place, settings, entropy};
  Sender sender{base::IpAddress::v4({127, 0, 0, 1}), Transport::udp, true};
  std::uint64_t client = 0;
  std::map<std::uint64_t, Bytes> replies;

  std::vector<record::SignedPacket> packets = {
      packet_of(1, stamp_us,
                {a_record("@", "192.0.2.1"), cname_record("www", key_text(1)),
                 a_record("*.any", "192.0.2.7"), cname_record("other", key_text(2)),
                 cname_record("out", "host.example."), cname_record("loop", "pool." + key_text(1)),
                 cname_record("pool", "loop." + key_text(1)), a_record("home", "10.0.0.1"),
                 text_record("deep.down", "here"), ns_record("sub", "ns.sub." + key_text(1)),
                 a_record("ns.sub", "192.0.2.53"), text_record("long", std::string(600, 'x'))}),
      packet_of(2, stamp_us, {a_record("@", "192.0.2.2", 1000)}),
  };
  std::string const key = key_text(1);
  UnixTime last_seen = now.unix_time;
  bool stale = false;
  bool silent = false;
  resolve::Verdict missing = resolve::Verdict::not_found;
  bool has_upstream = true;
  ResponseCode upstream_code = ResponseCode::no_error;
  std::vector<dns::ResourceRecord> upstream;
  base::Result<dns::Message> server_answer = base::fail(ErrorCode::dns_servers_failed);
  std::vector<crypto::PublicKey> asked_keys;
  std::vector<std::string> asked_names;
  std::vector<AskServers> asked_servers;
};

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

TEST_F(BridgeTest, a_name_server_that_is_silent_is_a_failure) {
  EXPECT_EQ(ask("host.sub." + key, RecordType::a).code, ResponseCode::server_failure);
}

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

TEST_F(BridgeTest, replies_are_fresh_as_long_as_their_smallest_ttl) {
  dns::Message const query = question(key, RecordType::a);
  EXPECT_EQ(freshness_s(*send(ByteView(dns::encode_message(query).value()))), 300U);
  dns::Message const nothing = question("nope." + key, RecordType::a);
  EXPECT_EQ(freshness_s(*send(ByteView(dns::encode_message(nothing).value()))), 60U);
  EXPECT_EQ(freshness_s(Bytes(4)), 0U);
}

// RFC 9018, appendix A.1 and A.3.
TEST(cookie_baker, agrees_with_the_rfc) {
  crypto::ShortHashKey const secret{0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f,
                                    0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37, 0xbf, 0xcf};
  CookieBaker const baker(secret);
  auto const sent = base::parse_hex("2464c4abcf10c957").value();
  auto const client = base::IpAddress::v4({198, 51, 100, 100});
  UnixTime const then{1'559'731'985'000'000};
  Cookie const cookie = baker.bake(sent, client, then);
  EXPECT_EQ(base::encode_hex(cookie), "2464c4abcf10c957010000005cf79f111f8130c3eee29480");
  EXPECT_TRUE(baker.is_ours(cookie, client, then));
  EXPECT_TRUE(baker.is_ours(cookie, client, then + Duration::from_s(3600)));
  EXPECT_FALSE(baker.is_ours(cookie, client, then + Duration::from_s(3601)));
  EXPECT_TRUE(baker.is_ours(cookie, client, then - Duration::from_s(300)));
  EXPECT_FALSE(baker.is_ours(cookie, client, then - Duration::from_s(301)));
}

TEST(rate_limit, a_flood_of_networks_does_not_free_the_one_that_is_over) {
  RateLimit limit(10, 20, 1024, 42);
  Instant const now{1'000'000};
  auto const busy = base::IpAddress::v4({203, 0, 113, 0});
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(limit.take(now, busy));
  EXPECT_FALSE(limit.take(now, busy));
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    auto const byte = [i](int shift) { return static_cast<std::uint8_t>(i >> shift); };
    limit.take(now, base::IpAddress::v4({10, byte(16), byte(8), byte(0)}));
  }
  EXPECT_FALSE(limit.take(now, busy));
  EXPECT_TRUE(limit.take(now + Duration::from_ms(100), busy));
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

TEST(answer_cache, holds_no_more_than_it_may) {
  AnswerCacheSettings settings;
  settings.entries_max = 64;
  settings.bytes_max = 16'384;
  AnswerCache cache(settings);
  for (int i = 0; i < 1000; ++i) {
    QuestionKey const key(dns_name(std::to_string(i) + ".example"), RecordType::a, 5);
    Answer answer;
    answer.body.resize(500);
    cache.put(key, std::move(answer));
    ASSERT_NE(cache.find(key), nullptr);
    ASSERT_LE(cache.bytes(), settings.bytes_max);
    ASSERT_LE(cache.size(), 64U);
  }
  EXPECT_GT(cache.evictions(), 900U);
}

TEST(question_key, ignores_the_case_of_names_and_nothing_else) {
  auto const of = [](std::string_view name, RecordType type) {
    return QuestionKey(dns_name(name), type, 9);
  };
  EXPECT_EQ(of("WWW.Example", RecordType::a), of("www.exAMPLE", RecordType::a));
  EXPECT_EQ(of("WWW.Example", RecordType::a).hash(), of("www.exAMPLE", RecordType::a).hash());
  EXPECT_FALSE(of("www.example", RecordType::a) == of("www.example", RecordType::aaaa));
  // TYPE65 is 'A', TYPE97 is 'a'.
  EXPECT_FALSE(of("x", RecordType{65}) == of("x", RecordType{97}));
  EXPECT_FALSE(of("[", RecordType::a) == of("{", RecordType::a));
}

}  // namespace
}  // namespace dotkey::bridge
