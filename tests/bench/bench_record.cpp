// SPDX-License-Identifier: Apache-2.0
// DNS messages and signed packets. `signed_packet_parse` prints its rate over that of a bare
// Ed25519 verification of the same bytes; the aim is 0.9.
#include <algorithm>
#include <chrono>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/crypto/ed25519.h"
#include "core/record/signed_packet.h"
#include "core/wire/bencode.h"
#include "core/wire/dns_message.h"
#include "core/wire/krpc.h"
#include "core/wire/zone_text.h"

namespace dotkey::record {
namespace {

namespace dns = wire::dns;

constexpr char zone[] =
    "@ 300 A 192.0.2.1\n@ 300 AAAA 2001:db8::1\n@ 300 HTTPS 1 . alpn=h2,h3 port=443\n"
    "_443._tcp 300 TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
    "www 300 CNAME example.org.\n_proof 300 TXT \"some words of text\"\n";

std::vector<dns::ResourceRecord> zone_records() {
  return dns::parse_zone_text(zone, dns::Name()).value();
}

dns::Message small_answer() {
  dns::Message message;
  message.response = true;
  auto const name = dns::Name::parse("www.example.org").value();
  message.questions.push_back({name, dns::RecordType::a, dns::RecordClass::in});
  for (std::uint8_t i = 1; i <= 2; ++i) {
    message.answers.push_back(
        dns::ResourceRecord::make(name, 300, dns::RecordType::a, dns::A{{192, 0, 2, i}}));
  }
  return message;
}

void dns_parse_query(benchmark::State& state) {
  dns::Message query = small_answer();
  query.answers.clear();
  auto const bytes = dns::encode_message(query).value();
  for (auto _ : state) {
    benchmark::DoNotOptimize(dns::parse_message(bytes, dns::rules_for_sockets));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(dns_parse_query);

void dns_encode_answer(benchmark::State& state) {
  dns::Message const answer = small_answer();
  for (auto _ : state) benchmark::DoNotOptimize(dns::encode_message(answer));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(dns_encode_answer);

void dns_parse_answer(benchmark::State& state) {
  auto const bytes = dns::encode_message(small_answer()).value();
  for (auto _ : state) {
    benchmark::DoNotOptimize(dns::parse_message(bytes, dns::rules_for_sockets));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(dns_parse_answer);

void zone_text_parse(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(dns::parse_zone_text(zone, dns::Name()));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(zone_text_parse);

template <class Work>
double seconds_of(Work work) {
  auto const start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The two are timed in turns, so that a busy machine slows both alike; the ratio is of the least
// times, which noise can only raise.
void signed_packet_parse(benchmark::State& state) {
  crypto::KeyPair signer{crypto::Seed{}};
  auto const packet = SignedPacket::build(signer, 1'700'000'000'000'000, zone_records()).value();
  auto const message = wire::krpc::signable({}, packet.timestamp_us(), packet.item_value());
  double bare_s = 1e9;
  double parse_s = 1e9;
  for (auto _ : state) {
    bare_s = std::min(
        bare_s, seconds_of([&] {
          benchmark::DoNotOptimize(crypto::verify(packet.key(), packet.signature(), message));
        }));
    double const seconds =
        seconds_of([&] { benchmark::DoNotOptimize(SignedPacket::parse(packet.canonical())); });
    parse_s = std::min(parse_s, seconds);
    state.SetIterationTime(seconds);
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes"] = static_cast<double>(packet.size());
  state.counters["of_bare_verify_rate"] = bare_s / parse_s;
}
BENCHMARK(signed_packet_parse)->UseManualTime();

void signed_packet_build(benchmark::State& state) {
  crypto::KeyPair signer{crypto::Seed{}};
  auto const records = zone_records();
  for (auto _ : state) benchmark::DoNotOptimize(SignedPacket::build(signer, 1, records));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(signed_packet_build);

}  // namespace
}  // namespace dotkey::record
