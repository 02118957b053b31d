// SPDX-License-Identifier: Apache-2.0
// Our own addresses as others see them, in records that name them by placeholders, and when a
// change of them is worth publishing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/endpoint.h"
#include "core/engine/time.h"

namespace dotkey::host::cli {

struct ExternalAddresses {
  std::optional<base::IpAddress> v4;
  std::optional<base::IpAddress> v6;

  [[nodiscard]] bool any() const { return v4 || v6; }
  friend bool operator==(ExternalAddresses const&, ExternalAddresses const&) = default;
};

inline constexpr std::string_view external_ipv4_placeholder = "{external_ipv4}";
inline constexpr std::string_view external_ipv6_placeholder = "{external_ipv6}";

bool has_placeholder(std::string_view text);
// Each placeholder becomes its address, where that is known.
std::string fill_in(std::string_view text, ExternalAddresses const& addresses);

// A change counts when two looks in a row agree on it, and is published only so long after the last
// publication: an address that flaps does not flood the network.
class AddressWatch {
 public:
  // Looks are `interval` apart, and closer where something has just changed.
  explicit AddressWatch(engine::Duration interval) : interval_(interval) {}

  // True: confirmed() is to be published now.
  bool on_look(engine::Instant now, ExternalAddresses const& seen);
  void on_published(engine::Instant now);

  [[nodiscard]] ExternalAddresses const& confirmed() const { return confirmed_; }
  // Until the next look.
  [[nodiscard]] engine::Duration pause() const;

  static constexpr int rest_intervals = 5;
  // BEP 44: nodes may forget an item after two hours.
  static constexpr engine::Duration refresh = engine::Duration::from_s(3600);

 private:
  engine::Duration interval_;
  ExternalAddresses last_seen_;
  ExternalAddresses confirmed_;
  ExternalAddresses published_;
  std::optional<engine::Instant> published_at_;
};

}  // namespace dotkey::host::cli
