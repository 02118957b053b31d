// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/secret.h"

#include <sodium.h>

namespace dotkey::crypto {

void wipe(void* data, std::size_t size) {
  sodium_memzero(data, size);
}

bool equal_in_constant_time(base::ByteView a, base::ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace dotkey::crypto
