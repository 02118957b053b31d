// SPDX-License-Identifier: Apache-2.0
// DNS cookies (RFC 7873) in the interoperable form of RFC 9018: whoever sends ours back has proven
// its address, and nothing has to be remembered about it.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/endpoint.h"
#include "core/crypto/hash.h"
#include "core/engine/time.h"

namespace dotkey::bridge {

// The client's 8 bytes, then ours (RFC 9018 §4).
using Cookie = std::array<std::uint8_t, 24>;

class CookieBaker {
 public:
  static constexpr std::size_t client_size = 8;

  // Servers that share an address share the secret.
  explicit CookieBaker(crypto::ShortHashKey const& secret) : secret_(secret) {}

  // A new one; `sent` begins with the client's 8 bytes.
  [[nodiscard]] Cookie bake(base::ByteView sent, base::IpAddress const& client,
                            engine::UnixTime now) const;
  // Whether `sent` holds one of ours for this client: not older than an hour, nor from more than
  // five minutes ahead (RFC 9018 §4.3).
  [[nodiscard]] bool is_ours(base::ByteView sent, base::IpAddress const& client,
                             engine::UnixTime now) const;

 private:
  [[nodiscard]] Cookie bake_at(base::ByteView sent, base::IpAddress const& client,
                               std::uint32_t time_s) const;

  crypto::ShortHashKey secret_;
};

}  // namespace dotkey::bridge
