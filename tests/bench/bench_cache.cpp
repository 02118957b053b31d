// SPDX-License-Identifier: Apache-2.0
// The packet cache: one insertion, one look-up, and what a packet costs in memory.
#include <benchmark/benchmark.h>

#include "core/cache/packet_cache.h"

#include "tests/support/packets.h"

namespace dotkey::cache {
namespace {

constexpr std::size_t distinct = 4096;

std::vector<record::SignedPacket> make_packets() {
  std::vector<record::SignedPacket> out;
  std::vector<wire::dns::ResourceRecord> records;
  for (char const* name : {"www", "mail", "api", "cdn", "git"}) {
    records.push_back(test::a_record(name, "192.0.2.1"));
  }
  for (std::size_t i = 0; i < distinct; ++i) out.push_back(test::packet_of(i, 1, records));
  return out;
}

void cache_put(benchmark::State& state) {
  auto const packets = make_packets();
  Settings settings;
  settings.entries_max = distinct / 2;  // every insertion evicts
  PacketCache cache(settings, 1);
  std::size_t at = 0;
  for (auto _ : state) cache.put(packets[at++ % distinct], engine::UnixTime{1});
  state.SetItemsProcessed(state.iterations());
  state.counters["packet_bytes"] = static_cast<double>(packets[0].size());
}
BENCHMARK(cache_put);

void cache_find(benchmark::State& state) {
  auto const packets = make_packets();
  PacketCache cache(Settings{}, 1);
  std::vector<crypto::PublicKey> keys;
  for (auto const& packet : packets) {
    cache.put(packet, engine::UnixTime{1});
    keys.push_back(packet.key());
  }
  std::size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(cache.find(keys[at++ % distinct]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(cache_find);

}  // namespace
}  // namespace dotkey::cache
