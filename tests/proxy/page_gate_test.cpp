// SPDX-License-Identifier: Apache-2.0
// The gate on a real driver without a network: what it finds, what it is taught meanwhile, and what
// it says of the server then.
#include "host/page/page_gate.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include <gtest/gtest.h>

#include "core/base/text.h"

#include "host/loop/clock.h"
#include "host/tls/certificate.h"
#include "tests/support/packets.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::host::page {
namespace {

using test::a_record;
using test::key_text;
using wire::dns::ResourceRecord;

// Says what it is told to, when it is told to.
class SlowWitness final : public Witness {
 public:
  void examine(ShownEvidence const& evidence, OnVerdict on_verdict) override {
    shown = evidence;
    answer = std::move(on_verdict);
  }
  void on_refused(proxy::Site const&, std::string_view, bool) override {}

  ShownEvidence shown;
  OnVerdict answer;
};

class PageGateTest : public testing::Test {
 protected:
  ~PageGateTest() override { std::filesystem::remove_all(directory_); }

  static std::string make_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "dotkey-gate-XXXXXX").string();
    return ::mkdtemp(name.data());
  }

  driver::ApiDriverSettings driver_settings() const {
    driver::ApiDriverSettings settings;
    settings.packets = directory_ + "/packets.sqlite";
    settings.rows = directory_ + "/rows.sqlite";
    return settings;
  }

  tls::CertificateFacts mint() {
    auto const pem = tls::mint_self_signed(site_.host, loop::unix_now(), 2, entropy_).value();
    return tls::read_certificate(base::view_of(pem.certificate_pem)).value();
  }

  static ResourceRecord pin_of(tls::CertificateFacts const& certificate,
                               std::string_view name = "_443._tcp") {
    base::Bytes data = tls::tlsa_3_1_1(certificate);
    data.erase(data.begin(), data.begin() + 3);  // 3 1 1
    return ResourceRecord::make(test::dns_name(name), 300, wire::dns::RecordType::tlsa,
                                wire::dns::Tlsa{3, 1, 1, std::move(data)});
  }

  proxy::Resolution open(PageGate& gate, proxy::Site const& site,
                         tls::CertificateFacts const& certificate);

  // Each packet is newer than the one before it.
  record::SignedPacket learn(std::uint64_t key, std::vector<ResourceRecord> const& records) {
    auto packet = test::packet_of(key, ++last_stamp_us_, records);
    EXPECT_TRUE(driver_->keep_alive(packet));
    return packet;
  }

  std::optional<proxy::Resolution> resolve(PageGate& gate, proxy::Site const& site) {
    std::optional<proxy::Resolution> out;
    gate.resolve(site, [&](base::Result<proxy::Resolution> found) {
      EXPECT_TRUE(found) << base::slug_of(found.error().code);
      if (found) out = std::move(*found);
    });
    auto const until = loop::now() + engine::Duration::from_s(20);
    while (!out && loop::now() < until) loop_.run_one_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(out);
    return out;
  }

  // As the proxy brings it: from a server at the first route.
  static proxy::Evidence evidence_of(proxy::Site const& site, proxy::Resolution const& found,
                                     tls::CertificateFacts const& shown) {
    proxy::Route const& route = found.routes.at(0);
    return {site, route, {route.addresses.at(0), route.port}, {shown.der}, "", found.grounds};
  }

  // The slug of a denial, "allow", or "silence".
  static std::string decide(
      PageGate& gate, proxy::Evidence evidence, std::function<void()> const& meanwhile = [] {}) {
    std::string out = "silence";
    gate.decide(std::move(evidence), [&](proxy::Decision const& decision) {
      auto const* const deny = std::get_if<proxy::Deny>(&decision);
      out = deny == nullptr ? "allow" : deny->slug;
    });
    meanwhile();
    return out;
  }

  std::string directory_ = make_directory();
  boost::asio::io_context loop_{1};
  test::SeededEntropy entropy_{1};
  std::unique_ptr<driver::ApiDriver> driver_ =
      driver::ApiDriver::open(loop_, entropy_, driver_settings()).value();
  store::AllowedKeys local_keys_{directory_ + "/allow-local"};
  store::AllowedKeys http_keys_{directory_ + "/allow-http"};
  GateParts parts_{loop_, *driver_, entropy_, local_keys_, http_keys_};
  proxy::Site site_{key_text(1) + ".key", 443};
  ResourceRecord address_ = a_record("@", "198.51.100.1");
  std::int64_t last_stamp_us_ = loop::unix_now().us;
};

TEST_F(PageGateTest, the_pinned_certificate_is_allowed_and_another_is_not) {
  auto const certificate = mint();
  learn(1, {address_, pin_of(certificate)});
  PageGate gate(parts_, nullptr);
  auto const found = resolve(gate, site_).value();
  EXPECT_EQ(decide(gate, evidence_of(site_, found, certificate)), "allow");
  EXPECT_EQ(decide(gate, evidence_of(site_, found, mint())), "pin.mismatch");
}

TEST_F(PageGateTest, a_pin_taken_back_while_the_server_was_being_asked_opens_nothing) {
  auto const certificate = mint();
  learn(1, {address_, pin_of(certificate)});
  PageGate gate(parts_, nullptr);
  auto const found = resolve(gate, site_).value();
  learn(1, {address_, pin_of(mint())});
  EXPECT_EQ(decide(gate, evidence_of(site_, found, certificate)), "pin.mismatch");
  learn(1, {address_});
  EXPECT_EQ(decide(gate, evidence_of(site_, found, certificate)), "pin.no_records");
}

TEST_F(PageGateTest, a_pin_that_came_while_the_server_was_being_asked_counts_already) {
  learn(1, {address_, pin_of(mint())});
  PageGate gate(parts_, nullptr);
  auto const found = resolve(gate, site_).value();
  auto const certificate = mint();
  learn(1, {address_, pin_of(certificate)});
  EXPECT_EQ(decide(gate, evidence_of(site_, found, certificate)), "allow");
}

TEST_F(PageGateTest, a_pin_taken_back_while_the_witness_thinks_opens_nothing) {
  auto const certificate = mint();
  learn(1, {address_, pin_of(certificate)});
  SlowWitness witness;
  PageGate gate(parts_, &witness);
  auto const found = resolve(gate, site_).value();
  auto const evidence = evidence_of(site_, found, certificate);
  EXPECT_EQ(decide(gate, evidence, [&] { witness.answer({true, ""}); }), "allow");
  EXPECT_EQ(decide(gate, evidence, [&] { witness.answer({false, "pin.mismatch"}); }),
            "pin.mismatch");
  EXPECT_EQ(decide(gate, evidence,
                   [&] {
                     learn(1, {address_});
                     witness.answer({true, ""});
                   }),
            "pin.no_records");
}

TEST_F(PageGateTest, the_witness_is_shown_the_newest_packet_that_is_known) {
  auto const certificate = mint();
  learn(1, {address_, pin_of(certificate)});
  SlowWitness witness;
  PageGate gate(parts_, &witness);
  auto const found = resolve(gate, site_).value();
  auto const newest = learn(1, {address_});
  decide(gate, evidence_of(site_, found, certificate));
  ASSERT_EQ(witness.shown.packets.size(), 1U);
  EXPECT_EQ(witness.shown.packets[0], base::to_bytes(newest.canonical()));
}

TEST_F(PageGateTest, the_packet_of_a_key_on_the_way_counts_as_much) {
  auto const certificate = mint();
  learn(1, {test::cname_record("@", key_text(2))});
  learn(2, {address_, pin_of(certificate)});
  PageGate gate(parts_, nullptr);
  auto const found = resolve(gate, site_).value();
  EXPECT_EQ(decide(gate, evidence_of(site_, found, certificate)), "allow");
  learn(2, {address_, pin_of(mint())});
  EXPECT_EQ(decide(gate, evidence_of(site_, found, certificate)), "pin.mismatch");
}

// What is found of a site, with the pinned certificate shown there and allowed.
proxy::Resolution PageGateTest::open(PageGate& gate, proxy::Site const& site,
                                     tls::CertificateFacts const& certificate) {
  auto found = resolve(gate, site).value();
  EXPECT_EQ(decide(gate, evidence_of(site, found, certificate)), "allow");
  return found;
}

TEST_F(PageGateTest, a_new_packet_reaches_what_lives_by_the_old_one_past_any_number_of_sites) {
  auto const certificate = mint();
  learn(1, {address_, pin_of(certificate)});
  PageGate gate(parts_, nullptr);
  // As a tunnel keeps it.
  auto const held = open(gate, site_, certificate).grounds;
  learn(2, {a_record("*", "198.51.100.2")});
  std::vector<proxy::Resolution> others;
  for (int i = 0; i < 257; ++i) {
    others.push_back(resolve(gate, {std::to_string(i) + "." + key_text(2) + ".key", 443}).value());
  }
  auto const resting = gate.sites_resting_on(learn(1, {address_}));
  ASSERT_EQ(resting.size(), 1U);
  EXPECT_EQ(resting[0].site, site_);
  EXPECT_FALSE(resting[0].still_holds);
}

TEST_F(PageGateTest, what_nobody_uses_any_more_rests_on_nothing) {
  auto const certificate = mint();
  learn(1, {address_, pin_of(certificate)});
  PageGate gate(parts_, nullptr);
  auto held = open(gate, site_, certificate).grounds;
  EXPECT_EQ(gate.sites_resting_on(learn(1, {address_, pin_of(certificate)})).size(), 1U);
  held.reset();
  EXPECT_TRUE(gate.sites_resting_on(learn(1, {address_})).empty());
}

TEST_F(PageGateTest, what_a_new_packet_allows_too_goes_on) {
  auto const certificate = mint();
  learn(1, {address_, pin_of(certificate)});
  PageGate gate(parts_, nullptr);
  auto const held = open(gate, site_, certificate).grounds;
  auto const resting =
      gate.sites_resting_on(learn(1, {address_, pin_of(mint()), pin_of(certificate)}));
  ASSERT_EQ(resting.size(), 1U);
  EXPECT_TRUE(resting[0].still_holds);
}

TEST_F(PageGateTest, more_certificates_than_are_kept_end_with_the_next_packet) {
  std::vector<tls::CertificateFacts> certificates;
  std::vector<ResourceRecord> records = {address_};
  for (std::size_t i = 0; i <= allowed_chains_kept_max; ++i) {
    certificates.push_back(mint());
    records.push_back(pin_of(certificates.back()));
  }
  learn(1, records);
  PageGate gate(parts_, nullptr);
  auto const found = resolve(gate, site_).value();
  for (std::size_t i = 0; i < allowed_chains_kept_max; ++i) {
    EXPECT_EQ(decide(gate, evidence_of(site_, found, certificates[i])), "allow");
    EXPECT_EQ(decide(gate, evidence_of(site_, found, certificates[i])), "allow");
  }
  EXPECT_TRUE(gate.sites_resting_on(learn(1, records)).at(0).still_holds);
  EXPECT_EQ(decide(gate, evidence_of(site_, found, certificates.back())), "allow");
  EXPECT_FALSE(gate.sites_resting_on(learn(1, records)).at(0).still_holds);
}

TEST_F(PageGateTest, one_packet_is_worth_a_bounded_number_of_looks) {
  auto const certificate = mint();
  std::vector<ResourceRecord> const records = {test::cname_record("*", "www." + key_text(1)),
                                               a_record("www", "198.51.100.1"),
                                               pin_of(certificate, "_443._tcp.www")};
  learn(1, records);
  PageGate gate(parts_, nullptr);
  std::vector<proxy::Resolution> held;
  for (std::size_t i = 0; i < looks_a_packet_max + 3; ++i) {
    held.push_back(open(gate, {std::to_string(i) + "." + site_.host, 443}, certificate));
  }
  auto const resting = gate.sites_resting_on(learn(1, records));
  ASSERT_EQ(resting.size(), held.size());
  auto const lives = [](auto const& one) { return one.still_holds; };
  EXPECT_EQ(std::count_if(resting.begin(), resting.end(), lives), looks_a_packet_max);
}

}  // namespace
}  // namespace dotkey::host::page
