// SPDX-License-Identifier: Apache-2.0
// What libsodium links against for random numbers. The core takes entropy as an argument, so
// nothing may come here; what does is our bug and traps.
#include <randombytes.h>
#include <stddef.h>
#include <stdint.h>

void randombytes_buf(void* const out, size_t const size) {
  (void)out;
  (void)size;
  __builtin_trap();
}

void randombytes(unsigned char* const out, unsigned long long const size) {
  randombytes_buf(out, (size_t)size);
}

uint32_t randombytes_random(void) {
  __builtin_trap();
}

void randombytes_stir(void) {}

int randombytes_close(void) {
  return 0;
}
