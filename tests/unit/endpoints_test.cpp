// SPDX-License-Identifier: Apache-2.0
// From a host name to where to connect.
#include "core/resolve/endpoints.h"

#include <gtest/gtest.h>

#include "tests/support/packets.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::resolve {
namespace {

namespace dns = wire::dns;
using base::ErrorCode;
using base::IpAddress;
using dns::ResourceRecord;
using dns::Svcb;
using test::a_record;
using test::cname_record;
using test::dns_name;
using test::https_record;
using test::key_pair;
using test::key_text;

Svcb service(std::uint16_t priority, std::string_view target, std::uint16_t port = 0) {
  Svcb out;
  out.priority = priority;
  out.target = dns_name(target);
  if (port != 0) out.set_port(port);
  return out;
}

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}

ResourceRecord tlsa_record(std::string_view name, std::uint8_t mark) {
  return ResourceRecord::make(dns_name(name), 300, dns::RecordType::tlsa,
                              dns::Tlsa{3, 1, 1, base::Bytes(32, mark)});
}

class EndpointsTest : public testing::Test {
 protected:
  // Publishes the records under the key of that number.
  void publish(std::uint64_t number, std::vector<ResourceRecord> const& records) {
    Outcome outcome;
    outcome.verdict = Verdict::found;
    outcome.packet = test::packet_of(number, 1, records);
    known.insert_or_assign(key_pair(number).public_key(), std::move(outcome));
  }

  Outcome resolve(PublicKey const& key) {
    asked.push_back(key);
    auto const found = known.find(key);
    if (found != known.end()) return found->second;
    Outcome out;
    out.verdict = Verdict::not_found;
    out.error = base::Error(ErrorCode::resolve_not_found);
    return out;
  }

  EndpointSearch search(std::string const& subdomain = "") {
    query.host = {key_pair(1).public_key(), subdomain};
    EndpointSearch out(query, entropy);
    for (auto keys = out.take_wanted_keys(); !keys.empty(); keys = out.take_wanted_keys()) {
      for (PublicKey const& key : keys) out.on_outcome(key, resolve(key));
    }
    EXPECT_TRUE(out.is_done());
    EXPECT_EQ(out.settled(), out.endpoints().size());
    return out;
  }

  // "192.0.2.1:443", "example.com:8443" for each endpoint, in order.
  std::vector<std::string> where(std::string const& subdomain = "") {
    return where_of(search(subdomain));
  }
  static std::vector<std::string> where_of(EndpointSearch const& found) {
    std::vector<std::string> out;
    for (Endpoint const& endpoint : found.endpoints()) {
      std::string text = endpoint.icann_host;
      for (IpAddress const& each : endpoint.addresses) {
        if (!text.empty()) text += "|";
        text += each.to_string();
      }
      out.push_back(text + ":" + std::to_string(endpoint.port));
    }
    return out;
  }
  static bool trace_has(EndpointSearch const& found, std::string_view text) {
    for (TraceStep const& step : found.trace()) {
      if ((step.name + " " + step.record + " " + step.note).find(text) != std::string::npos) {
        return true;
      }
    }
    return false;
  }

  using List = std::vector<std::string>;
  test::SeededEntropy entropy{1};
  EndpointQuery query;
  std::map<PublicKey, Outcome> known;
  std::vector<PublicKey> asked;
};

TEST_F(EndpointsTest, plain_addresses_are_an_endpoint) {
  publish(1, {a_record("@", "198.51.100.1"), a_record("@", "2001:db8::1")});
  auto const found = search();
  ASSERT_EQ(found.endpoints().size(), 1U);
  Endpoint const& endpoint = found.endpoints()[0];
  EXPECT_EQ(endpoint.addresses, (std::vector{address("198.51.100.1"), address("2001:db8::1")}));
  EXPECT_EQ(endpoint.port, 443);
  EXPECT_EQ(endpoint.server_name, key_text(1) + ".key");
  EXPECT_EQ(endpoint.key, key_pair(1).public_key());
  EXPECT_EQ(endpoint.path, std::vector{key_pair(1).public_key()});
  EXPECT_EQ(endpoint.tlsa_name, dns_name("_443._tcp." + key_text(1)));
  EXPECT_FALSE(found.error());
}

TEST_F(EndpointsTest, a_subdomain_is_found_exactly_or_by_wildcard) {
  publish(1, {a_record("www", "198.51.100.1"), a_record("*", "198.51.100.2"),
              a_record("@", "198.51.100.3")});
  EXPECT_EQ(where("www"), List{"198.51.100.1:443"});
  EXPECT_EQ(where("other"), List{"198.51.100.2:443"});
  EXPECT_EQ(where(), List{"198.51.100.3:443"});
  EXPECT_EQ(where("a.b"), List{});
}

TEST_F(EndpointsTest, services_come_in_the_order_of_their_priorities) {
  publish(1, {https_record("@", service(3, "c.example.com")),
              https_record("@", service(1, "a.example.com", 8443)),
              https_record("@", service(2, "b.example.com"))});
  EXPECT_EQ(where(), (List{"a.example.com:8443", "b.example.com:443", "c.example.com:443"}));
}

TEST_F(EndpointsTest, equal_priorities_are_shuffled) {
  publish(1, {https_record("@", service(1, "a.example.com")),
              https_record("@", service(1, "b.example.com"))});
  std::map<std::string, int> firsts;
  for (int i = 0; i < 200; ++i) ++firsts[where()[0]];
  EXPECT_GT(firsts["a.example.com:443"], 60);
  EXPECT_GT(firsts["b.example.com:443"], 60);
}

TEST_F(EndpointsTest, a_service_at_its_own_name_uses_the_addresses_there_and_its_port) {
  publish(1, {https_record("www", service(1, ".", 8443)), a_record("www", "198.51.100.1"),
              a_record("@", "198.51.100.9")});
  EXPECT_EQ(where("www"), (List{"198.51.100.1:8443", "198.51.100.1:443"}))
      << "the plain addresses stay as the last resort";
}

TEST_F(EndpointsTest, a_service_without_addresses_at_its_name_uses_the_keys_own_as_pkarr_does) {
  publish(1, {https_record("_pubky", service(1, ".", 6287)), a_record("@", "198.51.100.9")});
  EXPECT_EQ(where("_pubky"), List{"198.51.100.9:6287"});
}

TEST_F(EndpointsTest, hints_are_the_fallback_for_missing_addresses) {
  Svcb data = service(1, ".");
  data.set(dns::svc_key::ipv4hint, {198, 51, 100, 7});
  publish(1, {https_record("@", data)});
  EXPECT_EQ(where(), List{"198.51.100.7:443"});
  publish(1, {https_record("@", data), a_record("@", "198.51.100.8")});
  EXPECT_EQ(where(), List{"198.51.100.8:443"});
}

TEST_F(EndpointsTest, hints_go_with_an_icann_host_for_when_its_look_up_fails) {
  Svcb data = service(1, "example.com");
  data.set(dns::svc_key::ipv4hint, {198, 51, 100, 7});
  publish(1, {https_record("@", data)});
  auto const found = search();
  ASSERT_EQ(found.endpoints().size(), 1U);
  EXPECT_EQ(found.endpoints()[0].icann_host, "example.com");
  EXPECT_EQ(found.endpoints()[0].server_name, "example.com");
  EXPECT_EQ(found.endpoints()[0].hints, std::vector{address("198.51.100.7")});
  EXPECT_EQ(found.endpoints()[0].tlsa_name, dns_name("_443._tcp." + key_text(1)));
}

TEST_F(EndpointsTest, an_alias_leads_on_and_hides_the_services_beside_it) {
  publish(1, {https_record("@", service(0, "svc." + key_text(2))),
              https_record("@", service(1, "example.com"))});
  publish(2, {https_record("svc", service(1, ".", 4433)), a_record("svc", "198.51.100.2")});
  auto const found = search();
  EXPECT_EQ(where_of(found), (List{"198.51.100.2:4433", "198.51.100.2:443"}));
  EXPECT_TRUE(trace_has(found, "ignored beside an alias"));
}

TEST_F(EndpointsTest, an_alias_to_nothing_says_that_there_is_no_service) {
  publish(1, {https_record("@", service(0, ".")), a_record("@", "198.51.100.1")});
  auto const found = search();
  EXPECT_EQ(where_of(found), List{});
  EXPECT_TRUE(trace_has(found, "no such service"));
  EXPECT_EQ(found.error()->code, ErrorCode::resolve_no_endpoint);
}

TEST_F(EndpointsTest, priority_0_with_a_port_is_read_as_pkarrs_homeservers_mean_it) {
  publish(1, {https_record("@", service(0, ".", 6881)), a_record("@", "198.51.100.1")});
  EXPECT_EQ(where()[0], "198.51.100.1:6881");
}

TEST_F(EndpointsTest, svcb_serves_where_there_is_no_https_record) {
  publish(1, {ResourceRecord::make(dns_name("@"), 300, dns::RecordType::svcb,
                                   service(1, "example.com", 8443))});
  EXPECT_EQ(where(), List{"example.com:8443"});
}

TEST_F(EndpointsTest, another_port_has_service_records_of_its_own) {
  publish(1, {https_record("@", service(1, "default.example.com")),
              https_record("_8443._https", service(1, "other.example.com")),
              a_record("@", "198.51.100.1")});
  query.port = 8443;
  EXPECT_EQ(where(), (List{"other.example.com:8443", "198.51.100.1:8443"}));
}

TEST_F(EndpointsTest, another_scheme_asks_below_its_own_label) {
  publish(1, {https_record("_foo", service(1, "foo.example.com", 99))});
  query.scheme = "foo";
  EXPECT_EQ(where(), List{"foo.example.com:99"});
}

TEST_F(EndpointsTest, a_record_that_demands_what_we_cannot_do_is_left_alone) {
  Svcb ech = service(1, "a.example.com");
  ech.set(dns::svc_key::ech, {0, 1, 0});
  ech.set(dns::svc_key::mandatory, {0, 5});
  Svcb unknown = service(2, "b.example.com");
  unknown.set(667, {1});
  unknown.set(dns::svc_key::mandatory, {0x02, 0x9b});
  Svcb fine = service(3, "c.example.com");
  fine.set(667, {1});
  publish(1, {https_record("@", ech), https_record("@", unknown), https_record("@", fine)});
  EXPECT_EQ(where(), List{"c.example.com:443"});
}

TEST_F(EndpointsTest, a_record_that_speaks_none_of_our_protocols_is_left_alone) {
  Svcb only_h3 = service(1, "a.example.com");
  only_h3.set_alpn({"h3"});
  only_h3.set(dns::svc_key::no_default_alpn, {});
  Svcb with_default = service(2, "b.example.com");
  with_default.set_alpn({"h3"});
  publish(1, {https_record("@", only_h3), https_record("@", with_default)});
  auto const found = search();
  EXPECT_EQ(where_of(found), List{"b.example.com:443"});
  EXPECT_EQ(found.endpoints()[0].alpn, (List{"h3", "http/1.1"}));
}

TEST_F(EndpointsTest, one_malformed_service_spoils_the_set_but_not_the_addresses) {
  Svcb broken = service(1, "a.example.com");
  broken.set(dns::svc_key::port, {1});
  publish(1, {https_record("@", broken), https_record("@", service(2, "b.example.com")),
              a_record("@", "198.51.100.1")});
  EXPECT_EQ(where(), List{"198.51.100.1:443"});
}

TEST_F(EndpointsTest, a_cname_leads_to_an_icann_host) {
  publish(1, {cname_record("www", "Pages.Example.COM")});
  EXPECT_EQ(where("www"), List{"pages.example.com:443"});
}

TEST_F(EndpointsTest, a_cname_leads_to_another_key_bare_or_with_the_tld) {
  publish(2, {a_record("blog", "198.51.100.2"), a_record("@", "198.51.100.3")});
  publish(1, {cname_record("a", "blog." + key_text(2)), cname_record("b", key_text(2) + ".key")});
  EXPECT_EQ(where("a"), List{"198.51.100.2:443"});
  EXPECT_EQ(where("b"), List{"198.51.100.3:443"});
}

TEST_F(EndpointsTest, a_cname_within_the_key_is_followed_without_asking_again) {
  publish(1, {cname_record("www", key_text(1)), a_record("@", "198.51.100.1")});
  EXPECT_EQ(where("www"), List{"198.51.100.1:443"});
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(EndpointsTest, a_dead_branch_does_not_kill_its_siblings) {
  publish(1,
          {https_record("@", service(1, key_text(2))), https_record("@", service(2, key_text(3))),
           https_record("@", service(3, "example.com"))});
  publish(3, {a_record("www", "198.51.100.3")});  // nothing at the name asked for
  auto const found = search();
  EXPECT_EQ(where_of(found), List{"example.com:443"});
  EXPECT_TRUE(trace_has(found, "resolve.not_found"));
  EXPECT_TRUE(trace_has(found, "no HTTPS, SVCB, A, AAAA or CNAME record led anywhere"));
}

TEST_F(EndpointsTest, all_keys_of_one_packet_are_asked_for_at_once) {
  publish(1,
          {https_record("@", service(1, key_text(2))), https_record("@", service(2, key_text(3)))});
  query.host = {key_pair(1).public_key(), ""};
  EndpointSearch found(query, entropy);
  for (PublicKey const& key : found.take_wanted_keys()) found.on_outcome(key, resolve(key));
  EXPECT_EQ(found.take_wanted_keys().size(), 2U);
  EXPECT_TRUE(found.take_wanted_keys().empty());
  EXPECT_FALSE(found.is_done());
}

TEST_F(EndpointsTest, what_stands_before_the_first_open_branch_is_settled) {
  publish(1, {https_record("@", service(1, "a.example.com")),
              https_record("@", service(2, key_text(2))),
              https_record("@", service(3, "c.example.com"))});
  publish(2, {a_record("@", "198.51.100.2")});
  query.host = {key_pair(1).public_key(), ""};
  EndpointSearch found(query, entropy);
  for (PublicKey const& key : found.take_wanted_keys()) found.on_outcome(key, resolve(key));
  EXPECT_EQ(found.endpoints().size(), 2U);
  EXPECT_EQ(found.settled(), 1U);
  for (PublicKey const& key : found.take_wanted_keys()) found.on_outcome(key, resolve(key));
  EXPECT_EQ(where_of(found), (List{"a.example.com:443", "198.51.100.2:443", "c.example.com:443"}));
  EXPECT_EQ(found.settled(), 3U);
}

TEST_F(EndpointsTest, a_circle_ends) {
  publish(1, {cname_record("@", key_text(2))});
  publish(2, {cname_record("@", key_text(1))});
  auto const found = search();
  EXPECT_EQ(where_of(found), List{});
  EXPECT_TRUE(trace_has(found, "circle"));
  publish(1, {cname_record("@", key_text(1))});
  EXPECT_TRUE(trace_has(search(), "circle"));
}

TEST_F(EndpointsTest, seven_keys_are_crossed_and_an_eighth_is_not) {
  for (std::uint64_t i = 1; i < 7; ++i) publish(i, {cname_record("@", key_text(i + 1))});
  publish(7, {a_record("@", "198.51.100.7")});
  auto const found = search();
  EXPECT_EQ(where_of(found), List{"198.51.100.7:443"});
  EXPECT_EQ(found.endpoints()[0].path.size(), 7U);
  publish(7, {cname_record("@", key_text(8))});
  publish(8, {a_record("@", "198.51.100.8")});
  auto const deeper = search();
  EXPECT_EQ(where_of(deeper), List{});
  EXPECT_TRUE(trace_has(deeper, "more than 7"));
}

TEST_F(EndpointsTest, private_addresses_are_refused_until_the_key_is_allowed_to_reach_them) {
  for (char const* const text :
       {"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "::1",
        "fe80::1", "fd00::1", "64:ff9b::7f00:1", "2002:7f00:1::"}) {
    SCOPED_TRACE(text);
    publish(1, {a_record("@", text)});
    query.local_network = LocalNetwork::refused;
    auto const refused = search();
    EXPECT_EQ(where_of(refused), List{});
    EXPECT_TRUE(trace_has(refused, "refused"));
    query.local_network = LocalNetwork::allowed;
    EXPECT_EQ(search().endpoints().size(), 1U);
  }
}

TEST_F(EndpointsTest, multicast_and_reserved_addresses_are_refused_always) {
  query.local_network = LocalNetwork::allowed;
  for (char const* const text : {"224.0.0.1", "255.255.255.255", "0.0.0.0", "0.1.2.3", "240.0.0.1",
                                 "ff02::1", "::", "100::1", "64:ff9b::e000:1"}) {
    publish(1, {a_record("@", text)});
    EXPECT_EQ(where(), List{}) << text;
  }
}

TEST_F(EndpointsTest, a_refused_address_does_not_take_the_others_with_it) {
  publish(1, {a_record("@", "127.0.0.1"), a_record("@", "198.51.100.1")});
  EXPECT_EQ(where(), List{"198.51.100.1:443"});
}

TEST_F(EndpointsTest, hints_obey_the_same_rule) {
  Svcb data = service(1, ".");
  data.set(dns::svc_key::ipv4hint, {127, 0, 0, 1});
  publish(1, {https_record("@", data)});
  EXPECT_EQ(where(), List{});
  data.target = dns_name("example.com");
  publish(1, {https_record("@", data)});
  EXPECT_TRUE(search().endpoints()[0].hints.empty());
}

TEST_F(EndpointsTest, names_that_are_no_public_hosts_are_never_looked_up) {
  for (char const* const target :
       {"localhost", "router", "printer.local", "db.internal", "127.0.0.1", "0x7f.1", "1.2.3.4",
        "x.onion", "home.arpa", "nas.home.arpa", "foo.key", "key", "x.localhost", "a\\032b.example",
        "abc.yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy2"}) {
    publish(1, {cname_record("@", target)});
    EXPECT_EQ(where(), List{}) << target;
  }
  query.local_network = LocalNetwork::allowed;
  for (char const* const target : {"localhost", "router", "printer.local", "nas.home.arpa"}) {
    publish(1, {cname_record("@", target)});
    EXPECT_EQ(where().size(), 1U) << target;
  }
  for (char const* const target : {"127.0.0.1", "foo.key", "x.onion"}) {
    publish(1, {cname_record("@", target)});
    EXPECT_EQ(where(), List{}) << target;
  }
}

TEST_F(EndpointsTest, pins_stand_at_the_port_and_name_of_the_key_that_owns_the_host) {
  publish(1,
          {https_record("@", service(1, "www." + key_text(2), 8443)), tlsa_record("_443._tcp", 1)});
  publish(2, {a_record("www", "198.51.100.2"), tlsa_record("_8443._tcp.www", 2),
              tlsa_record("_443._tcp.www", 3)});
  auto const found = search();
  ASSERT_EQ(found.endpoints().size(), 1U);
  Endpoint const& endpoint = found.endpoints()[0];
  EXPECT_EQ(endpoint.tlsa_key, key_pair(2).public_key());
  EXPECT_EQ(endpoint.tlsa_name, dns_name("_8443._tcp.www." + key_text(2)));
  ASSERT_EQ(endpoint.tlsa.size(), 1U);
  EXPECT_EQ(endpoint.tlsa[0].data[0], 2);
  EXPECT_EQ(endpoint.server_name, key_text(1) + ".key");
}

TEST_F(EndpointsTest, where_the_end_has_no_pins_those_before_it_count) {
  publish(1, {cname_record("@", key_text(2)), tlsa_record("_443._tcp", 1)});
  publish(2, {a_record("@", "198.51.100.2")});
  auto const found = search();
  ASSERT_EQ(found.endpoints().size(), 1U);
  EXPECT_EQ(found.endpoints()[0].tlsa_key, key_pair(1).public_key());
  EXPECT_EQ(found.endpoints()[0].tlsa.size(), 1U);
}

TEST_F(EndpointsTest, a_key_that_cannot_be_resolved_gives_its_own_error) {
  EXPECT_EQ(search().error()->code, ErrorCode::resolve_not_found);
  publish(1, {});
  EXPECT_EQ(search().error()->code, ErrorCode::resolve_no_endpoint);
}

TEST_F(EndpointsTest, a_packet_full_of_keys_stays_within_bounds) {
  // Every key leads to the next twelve.
  for (std::uint64_t i = 1; i <= 40; ++i) {
    std::vector<ResourceRecord> records;
    for (std::uint64_t j = 1; j <= 12; ++j) {
      records.push_back(https_record("@", service(1, key_text(i + j))));
    }
    publish(i, records);
  }
  auto const found = search();
  EXPECT_LE(asked.size(), endpoint_keys_max);
  EXPECT_LE(found.trace().size(), trace_steps_max);
}

TEST(address_policy, what_a_look_up_gave_is_judged_by_the_same_rule) {
  EXPECT_FALSE(is_address_allowed(address("127.0.0.1"), LocalNetwork::refused));
  EXPECT_FALSE(is_address_allowed(address("::ffff:127.0.0.1"), LocalNetwork::refused));
  EXPECT_FALSE(is_address_allowed(address("::7f00:1"), LocalNetwork::refused));
  EXPECT_TRUE(is_address_allowed(address("1.1.1.1"), LocalNetwork::refused));
  EXPECT_TRUE(is_address_allowed(address("2606:4700::1111"), LocalNetwork::refused));
}

}  // namespace
}  // namespace dotkey::resolve
