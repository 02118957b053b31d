// SPDX-License-Identifier: Apache-2.0
#include "host/http/name_cache.h"

#include <algorithm>
#include <utility>

#include "host/loop/clock.h"

namespace dotkey::host::http {

void NameCache::look_up(std::string const& host_port, OnAddresses on_addresses) {
  if (auto const literal = base::Endpoint::parse(host_port)) return on_addresses({*literal});
  if (!entries_.contains(host_port)) make_room();
  Entry& entry = entries_[host_port];
  if (!entry.addresses.empty() && loop::now() < entry.expires) {
    return on_addresses(entry.addresses);
  }
  entry.waiting.push_back(std::move(on_addresses));
  if (!entry.lookup) entry.lookup = std::make_unique<loop::NameLookup>(loop_);
  if (entry.lookup->is_running()) return;
  entry.lookup->start({host_port}, [this, host_port](loop::NameLookup::Outcomes const& outcomes) {
    on_outcomes(host_port, outcomes);
  });
}

void NameCache::on_outcomes(std::string const& host_port,
                            loop::NameLookup::Outcomes const& outcomes) {
  Entry& entry = entries_[host_port];
  entry.addresses.clear();
  if (!outcomes.empty() && outcomes[0]) entry.addresses = *outcomes[0];
  entry.expires = loop::now() + lifetime;
  auto const waiting = std::exchange(entry.waiting, {});
  auto const addresses = entry.addresses;  // a callback may come back here
  for (OnAddresses const& on_addresses : waiting) on_addresses(addresses);
}

// There are as many hosts as relays; this is for a list of relays that keeps changing.
void NameCache::make_room() {
  if (entries_.size() < hosts_max) return;
  auto const idle = std::find_if(entries_.begin(), entries_.end(),
                                 [](auto const& entry) { return entry.second.waiting.empty(); });
  if (idle != entries_.end()) entries_.erase(idle);
}

}  // namespace dotkey::host::http
