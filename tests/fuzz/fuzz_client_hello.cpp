// SPDX-License-Identifier: Apache-2.0
// ClientHello: a verdict on a prefix never contradicts the verdict on more bytes, and what is
// complete fits in what was given.
#include "core/base/assert.h"

#include "host/proxy/client_hello.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using dotkey::host::proxy::HelloStatus;
  using dotkey::host::proxy::parse_client_hello;
  dotkey::base::ByteView const bytes(data, size);
  auto const whole = parse_client_hello(bytes);
  auto const half = parse_client_hello(bytes.first(size / 2));
  if (half.status == HelloStatus::malformed) {
    DOTKEY_ASSERT(whole.status == HelloStatus::malformed);
  }
  if (whole.status != HelloStatus::complete) return 0;
  auto const& hello = whole.hello;
  DOTKEY_ASSERT(hello.wire_size <= size && hello.alpn.size() <= 32);
  DOTKEY_ASSERT(hello.server_name.size() <= 255);
  for (auto const& protocol : hello.alpn) DOTKEY_ASSERT(!protocol.empty());
  // The bytes of the hello alone say the same.
  auto const alone = parse_client_hello(bytes.first(hello.wire_size));
  DOTKEY_ASSERT(alone.status == HelloStatus::complete && alone.hello.alpn == hello.alpn);
  DOTKEY_ASSERT(alone.hello.server_name == hello.server_name);
  return 0;
}
