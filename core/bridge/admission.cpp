// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/admission.h"

#include <algorithm>

namespace dotkey::bridge {
namespace {

// What one forger's target, or one customer of a provider, has.
constexpr std::uint8_t unproven_bits_v4 = 24;
constexpr std::uint8_t unproven_bits_v6 = 56;
constexpr std::uint8_t client_bits_v4 = 32;
constexpr std::uint8_t client_bits_v6 = 64;

AdmissionSettings with_secret(AdmissionSettings settings, engine::Entropy& entropy) {
  bool const has_secret = std::any_of(settings.cookie_secret.begin(), settings.cookie_secret.end(),
                                      [](std::uint8_t byte) { return byte != 0; });
  if (!has_secret) entropy.fill(settings.cookie_secret);
  return settings;
}

}  // namespace

Admission::Admission(AdmissionSettings settings, engine::Entropy& entropy)
    : settings_(with_secret(std::move(settings), entropy)),
      cookies_(settings_.cookie_secret),
      unproven_(settings_.unproven_per_s, settings_.unproven_burst, settings_.networks_max,
                entropy.next_u64()),
      clients_(settings_.client_per_s, settings_.client_burst, settings_.networks_max,
               entropy.next_u64()) {}

bool Admission::is_allowed(base::IpAddress const& address) const {
  if (settings_.allowed.empty()) return address.is_local_network();
  return std::any_of(settings_.allowed.begin(), settings_.allowed.end(),
                     [&](base::IpPrefix const& prefix) { return prefix.contains(address); });
}

bool Admission::is_proven(Sender const& sender, Query const& query, engine::Moment now) const {
  if (sender.transport != Transport::udp || sender.trusted) return true;
  return !query.cookie.empty() && cookies_.is_ours(query.cookie, sender.address, now.unix_time);
}

Admitted Admission::admit(Sender const& sender, bool is_proven, engine::Moment now) {
  base::IpAddress const& address = sender.address;
  if (address.is_loopback() && settings_.allowed.empty()) return Admitted::yes;
  bool const v4 = address.is_v4();
  if (!is_proven) {
    auto const network = base::masked(address, v4 ? unproven_bits_v4 : unproven_bits_v6);
    if (!unproven_.take(now.instant, network)) {
      slip_ = !slip_;
      return slip_ ? Admitted::slip : Admitted::drop;
    }
  } else if (!address.is_loopback()) {
    auto const network = base::masked(address, v4 ? client_bits_v4 : client_bits_v6);
    if (!clients_.take(now.instant, network)) return Admitted::limited;
  }
  return is_allowed(address) ? Admitted::yes : Admitted::denied;
}

}  // namespace dotkey::bridge
