// SPDX-License-Identifier: Apache-2.0
// The packet cache: one insertion, one look-up, and what a packet costs in memory.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include "core/base/integers.h"
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

// A million packets of 269 bytes under as many keys, as after a cold start; the memory they take.
void cache_million_packets(benchmark::State& state) {
  constexpr std::uint64_t count = 1'000'000;
  base::Bytes canonical = base::to_bytes(make_packets()[0].canonical());
  Settings settings;
  settings.entries_max = count;
  settings.bytes_max = 1ULL << 30;
  for (auto _ : state) {
    std::size_t const before = mallinfo2().uordblks;
    PacketCache cache(settings, 1);
    for (std::uint64_t i = 0; i < count; ++i) {
      base::write_be(canonical.data(), i);
      cache.put(*record::SignedPacket::parse_verified(canonical), engine::UnixTime{1});
    }
    state.counters["heap_MB"] = static_cast<double>(mallinfo2().uordblks - before) / 1e6;
    if (cache.size() != count) state.SkipWithError("packets are missing");
  }
}
BENCHMARK(cache_million_packets)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace dotkey::cache
