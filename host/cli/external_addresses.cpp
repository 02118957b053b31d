// SPDX-License-Identifier: Apache-2.0
#include "host/cli/external_addresses.h"

#include <algorithm>

namespace dotkey::host::cli {
namespace {

void replace(std::string& text, std::string_view placeholder,
             std::optional<base::IpAddress> const& address) {
  if (!address) return;
  std::string const value = address->to_string();
  for (std::size_t at = text.find(placeholder); at != std::string::npos;
       at = text.find(placeholder, at)) {
    text.replace(at, placeholder.size(), value);
  }
}

}  // namespace

bool has_placeholder(std::string_view text) {
  return text.find(external_ipv4_placeholder) != std::string_view::npos ||
         text.find(external_ipv6_placeholder) != std::string_view::npos;
}

std::string fill_in(std::string_view text, ExternalAddresses const& addresses) {
  std::string out(text);
  replace(out, external_ipv4_placeholder, addresses.v4);
  replace(out, external_ipv6_placeholder, addresses.v6);
  return out;
}

bool AddressWatch::on_look(engine::Instant now, ExternalAddresses const& seen) {
  bool const agrees = seen == last_seen_;
  last_seen_ = seen;
  // Who cannot be reached has no address to publish; what stands there may be right again.
  if (!agrees || !seen.any()) return false;
  confirmed_ = seen;
  if (!published_at_) return true;
  engine::Duration const since = now - *published_at_;
  if (confirmed_ == published_) return since >= refresh;
  return since >= interval_ * rest_intervals;
}

void AddressWatch::on_published(engine::Instant now) {
  published_ = confirmed_;
  published_at_ = now;
}

engine::Duration AddressWatch::pause() const {
  constexpr engine::Duration pause_min = engine::Duration::from_ms(200);
  bool const is_news = last_seen_.any() && !(last_seen_ == confirmed_);
  bool const is_unknown = !last_seen_.any();
  return is_news || is_unknown ? std::max(interval_ / 6, pause_min) : interval_;
}

}  // namespace dotkey::host::cli
