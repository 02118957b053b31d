// SPDX-License-Identifier: Apache-2.0
// The bare cost of what every record pays for: one Ed25519 signature.
#include <benchmark/benchmark.h>

#include "core/crypto/ed25519.h"

namespace dotkey::crypto {
namespace {

base::Bytes message_of(benchmark::State const& state) {
  return base::Bytes(static_cast<std::size_t>(state.range(0)), 0x5a);
}

void ed25519_verify(benchmark::State& state) {
  KeyPair const keys{Seed{}};
  base::Bytes const message = message_of(state);
  Signature const signature = keys.sign_now(message);
  for (auto _ : state) benchmark::DoNotOptimize(verify(keys.public_key(), signature, message));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ed25519_verify)->Arg(100)->Arg(200)->Arg(1000);

void ed25519_sign(benchmark::State& state) {
  KeyPair const keys{Seed{}};
  base::Bytes const message = message_of(state);
  for (auto _ : state) benchmark::DoNotOptimize(keys.sign_now(message));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ed25519_sign)->Arg(200);

}  // namespace
}  // namespace dotkey::crypto
