// SPDX-License-Identifier: Apache-2.0
// What a page load pays for its pin: reading the certificate and deciding.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/base/text.h"
#include "core/pin/pin.h"

#include "tests/support/json.h"

namespace dotkey::pin {
namespace {

struct Site {
  std::vector<std::string> hosts;
  std::vector<crypto::PublicKey> keys;
  std::vector<TlsaRecord> records;
  std::vector<base::Bytes> chain;

  [[nodiscard]] Question question() const { return {hosts, keys, records, chain, 1767225600}; }
};

// A site that sends `names` of the vectors and pins the last of them.
Site site_of(std::initializer_list<char const*> names, std::uint8_t usage_number) {
  auto const facts = test::load_vectors("certificates/facts.json");
  Site out;
  out.hosts.push_back(test::text_at(facts, "host"));
  out.keys.emplace_back();
  for (char const* name : names) {
    for (auto const& item : facts.at("certificates").as_array()) {
      if (test::text_at(item, "name") == name) out.chain.push_back(test::hex_at(item, "der"));
    }
  }
  out.records.push_back(tlsa_for(out.chain.back()).value());
  out.records.back().usage = usage_number;
  return out;
}

void run(benchmark::State& state, Site const& site) {
  for (auto _ : state) {
    auto const decision = decide(site.question());
    if (!is_allowed(decision.verdict)) state.SkipWithError("denied");
    benchmark::DoNotOptimize(decision);
  }
  state.SetItemsProcessed(state.iterations());
}

void parse_certificate_p256(benchmark::State& state) {
  auto const site = site_of({"leaf_p256"}, usage::dane_ee);
  for (auto _ : state) benchmark::DoNotOptimize(parse_certificate(site.chain[0]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse_certificate_p256);

void decide_3_1_1_p256(benchmark::State& state) {
  run(state, site_of({"leaf_p256"}, usage::dane_ee));
}
BENCHMARK(decide_3_1_1_p256);

void decide_3_1_1_rsa(benchmark::State& state) {
  run(state, site_of({"leaf_rsa"}, usage::dane_ee));
}
BENCHMARK(decide_3_1_1_rsa);

void decide_2_1_1_p256(benchmark::State& state) {
  run(state, site_of({"issued", "ca"}, usage::dane_ta));
}
BENCHMARK(decide_2_1_1_p256);

void decide_2_1_1_rsa(benchmark::State& state) {
  run(state, site_of({"issued_rsa", "ca_rsa"}, usage::dane_ta));
}
BENCHMARK(decide_2_1_1_rsa);

}  // namespace
}  // namespace dotkey::pin
