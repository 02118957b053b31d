// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/cookie.h"

#include <algorithm>

#include "core/base/integers.h"

namespace dotkey::bridge {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t time_at = 12;
constexpr std::size_t hash_at = 16;
constexpr std::int32_t age_max_s = 3600;
constexpr std::int32_t ahead_max_s = 300;

std::uint32_t seconds_of(engine::UnixTime now) {
  return static_cast<std::uint32_t>(now.us / 1'000'000);
}

}  // namespace

Cookie CookieBaker::bake_at(base::ByteView sent, base::IpAddress const& client,
                            std::uint32_t time_s) const {
  Cookie out{};
  std::copy_n(sent.begin(), client_size, out.begin());
  out[client_size] = version;
  base::write_be(out.data() + time_at, time_s);
  // Client cookie, version, reserved, time and the client's address (RFC 9018 §4.4).
  std::array<std::uint8_t, hash_at + 16> input{};
  std::copy_n(out.begin(), hash_at, input.begin());
  base::ByteView const address = client.bytes();
  std::copy(address.begin(), address.end(), input.begin() + hash_at);
  auto const hash =
      crypto::short_hash(secret_, base::ByteView(input).first(hash_at + address.size()));
  std::copy(hash.begin(), hash.end(), out.begin() + hash_at);
  return out;
}

Cookie CookieBaker::bake(base::ByteView sent, base::IpAddress const& client,
                         engine::UnixTime now) const {
  return bake_at(sent, client, seconds_of(now));
}

bool CookieBaker::is_ours(base::ByteView sent, base::IpAddress const& client,
                          engine::UnixTime now) const {
  if (sent.size() != Cookie().size()) return false;
  auto const time_s = base::read_be<std::uint32_t>(sent, time_at);
  // Serial number arithmetic (RFC 1982): the clock's 32 bits may wrap.
  auto const age_s = static_cast<std::int32_t>(seconds_of(now) - time_s);
  if (age_s > age_max_s || age_s < -ahead_max_s) return false;
  return base::equal(bake_at(sent, client, time_s), sent);
}

}  // namespace dotkey::bridge
