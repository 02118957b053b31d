// SPDX-License-Identifier: Apache-2.0
#include "core/base/assert.h"
#include "core/dht/state.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dotkey::base::ByteView const input(data, size);
  if (auto const state = dotkey::dht::parse_state(input)) {
    DOTKEY_ASSERT(dotkey::base::equal(dotkey::dht::encode_state(*state), input));
  }
  return 0;
}
