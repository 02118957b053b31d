// SPDX-License-Identifier: Apache-2.0
// The canary: an easy bug that the fuzzer has to find. When this target passes, fuzzing is broken.
#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size >= 4 && data[0] == 'b' && data[1] == 'i' && data[2] == 'r' && data[3] == 'd') {
    __builtin_trap();
  }
  return 0;
}
