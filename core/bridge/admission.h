// SPDX-License-Identifier: Apache-2.0
// Who may ask, how often, and how much may come back to an address that may be forged.
#pragma once

#include <vector>

#include "core/base/ip_prefix.h"
#include "core/bridge/cookie.h"
#include "core/bridge/query.h"
#include "core/bridge/rate_limit.h"
#include "core/engine/entropy.h"

namespace dotkey::bridge {

enum class Transport : std::uint8_t { udp, tcp, tls, https };

// Where a query came from, as far as the answer depends on it.
struct Sender {
  base::IpAddress address;
  Transport transport = Transport::udp;
  // Its address is beyond doubt, or a little amplification towards it does no harm.
  bool trusted = false;
};

struct AdmissionSettings {
  // Whom to serve; the local network when there are none.
  std::vector<base::IpPrefix> allowed;
  // Servers that share an address share it. Zeros: one is made up.
  crypto::ShortHashKey cookie_secret{};
  // Queries a second of a /24 or /56 over UDP without a cookie, where sources may be forged; the
  // burst is what may come at once. 0: no limit.
  std::uint32_t unproven_per_s = 50;
  std::uint32_t unproven_burst = 100;
  // Of an IPv4 address or an IPv6 /64 that is real.
  std::uint32_t client_per_s = 1000;
  std::uint32_t client_burst = 2000;
  std::uint32_t networks_max = 65'536;
};

enum class Admitted : std::uint8_t {
  yes,
  denied,   // by the list
  limited,  // a real address over its rate
  slip,     // one that may be forged: only so much that a real client comes back by TCP or cookie
  drop,
};

class Admission {
 public:
  // `entropy` is used only here.
  Admission(AdmissionSettings settings, engine::Entropy& entropy);

  // Whether the address is beyond doubt.
  [[nodiscard]] bool is_proven(Sender const& sender, Query const& query, engine::Moment now) const;
  // This machine itself has no limits.
  Admitted admit(Sender const& sender, bool is_proven, engine::Moment now);
  [[nodiscard]] CookieBaker const& cookies() const { return cookies_; }

 private:
  [[nodiscard]] bool is_allowed(base::IpAddress const& address) const;

  AdmissionSettings settings_;
  CookieBaker cookies_;
  RateLimit unproven_;
  RateLimit clients_;
  bool slip_ = false;
};

}  // namespace dotkey::bridge
