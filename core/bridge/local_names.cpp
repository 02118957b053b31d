// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/local_names.h"

namespace dotkey::bridge {

using wire::dns::Name;

void LocalNames::add_zone(Name const& apex, std::vector<wire::dns::ResourceRecord> records) {
  zones_[apex] = std::make_unique<StaticZone>(apex, std::move(records));
}

void LocalNames::deny(Name const& name) {
  denied_[name] = true;
}

void LocalNames::allow(Name const& name) {
  denied_[name] = false;
}

Zone const* LocalNames::zone_of(Name const& name) const {
  if (zones_.empty()) return nullptr;
  for (Name above = name;; above = above.parent()) {
    if (auto const at = zones_.find(above); at != zones_.end()) return &at->second->zone;
    if (above.is_root()) return nullptr;
  }
}

bool LocalNames::is_denied(Name const& name) const {
  if (denied_.empty()) return false;
  for (Name above = name;; above = above.parent()) {
    if (auto const at = denied_.find(above); at != denied_.end()) return at->second;
    if (above.is_root()) return false;
  }
}

}  // namespace dotkey::bridge
