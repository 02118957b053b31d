// SPDX-License-Identifier: Apache-2.0
// The relay server without its sockets: what a cached GET and a PUT cost.
#include <benchmark/benchmark.h>

#include "tests/support/cache_shelf.h"
#include "tests/support/packets.h"

namespace dotkey::relay {
namespace {

constexpr std::size_t keys = 1000;
constexpr Moment now{Instant{1}, UnixTime{1'709'571'104'000'000}};

constexpr Quotas unlimited{std::nullopt, std::nullopt};

SignedPacket large_packet(std::uint64_t number, std::int64_t timestamp_us) {
  std::vector<wire::dns::ResourceRecord> records;
  for (int i = 0; i < 50; ++i) records.push_back(test::a_record("www", "192.0.2.1", 3600));
  return test::packet_of(number, timestamp_us, records);
}

void relay_cached_get(benchmark::State& state) {
  cache::PacketCache cache{cache::Settings{}, 1};
  test::CacheShelf shelf(cache);
  std::vector<std::string> targets;
  for (std::size_t i = 0; i < keys; ++i) {
    cache.put(large_packet(i, 1), now.unix_time);
    targets.push_back("/" + test::key_text(i));
  }
  LocalCommons commons(unlimited, 1);
  Server server(ServerSettings{}, shelf, commons);
  HeaderView const headers[] = {{"Host", "relay.example"}, {"Accept", "*/*"}};
  Response response;
  std::string head;
  std::size_t at = 0;
  for (auto _ : state) {
    server.on_request(now, {"GET", targets[at++ % keys], headers, {}, {}}, response);
    head.clear();
    append_http1(head, response);
    benchmark::DoNotOptimize(head.data());
  }
  if (response.status != 200) state.SkipWithError("the packet is not in the cache");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(relay_cached_get);

void relay_put(benchmark::State& state) {
  cache::PacketCache cache{cache::Settings{}, 1};
  test::CacheShelf shelf(cache);
  LocalCommons commons(unlimited, 1);
  Server server(ServerSettings{}, shelf, commons);
  std::vector<SignedPacket> packets;
  std::vector<std::string> targets;
  for (std::size_t i = 0; i < keys; ++i) {
    packets.push_back(large_packet(i, 1));
    targets.push_back("/" + test::key_text(i));
  }
  Response response;
  std::size_t at = 0;
  for (auto _ : state) {
    auto const ticket = server.on_request(
        now, {"PUT", targets[at % keys], {}, packets[at % keys].relay_payload(), {}}, response);
    ++at;
    server.on_published(now, *ticket, {PublishVerdict::stored, 20});
    while (auto effect = server.poll_effect()) benchmark::DoNotOptimize(effect);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(relay_put);

}  // namespace
}  // namespace dotkey::relay
