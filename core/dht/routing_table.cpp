// SPDX-License-Identifier: Apache-2.0
#include "core/dht/routing_table.h"

#include <algorithm>

#include "core/dht/node_id.h"

namespace dotkey::dht {
namespace {

void append_sorted(std::vector<NodeInfo>& out, std::vector<NodeInfo>& group, NodeId const& target,
                   std::size_t count) {
  std::size_t const take = std::min(count - out.size(), group.size());
  std::partial_sort(
      group.begin(), group.begin() + static_cast<std::ptrdiff_t>(take), group.end(),
      [&](NodeInfo const& a, NodeInfo const& b) { return is_closer(target, a.id, b.id); });
  out.insert(out.end(), group.begin(), group.begin() + static_cast<std::ptrdiff_t>(take));
  group.clear();
}

}  // namespace

std::size_t RoutingTable::capacity_of(unsigned bucket) {
  constexpr std::size_t wide[] = {128, 64, 32};
  return bucket < std::size(wide) ? wide[bucket] : k_nodes;
}

RoutingTable::RoutingTable(NodeId const& self, bool one_contact_per_address)
    : self_(self), one_contact_per_address_(one_contact_per_address) {}

unsigned RoutingTable::bucket_of(NodeId const& id) const {
  return std::min(common_prefix_bits(self_, id), static_cast<unsigned>(NodeId::size) * 8 - 1);
}

Contact const* RoutingTable::find(NodeId const& id, Endpoint const& endpoint) const {
  unsigned const bucket = bucket_of(id);
  if (bucket >= buckets_.size()) return nullptr;
  for (auto const& contact : buckets_[bucket]) {
    if (contact.node.id == id && contact.node.endpoint == endpoint) return &contact;
  }
  return nullptr;
}

Contact* RoutingTable::find_mutable(NodeId const& id, Endpoint const& endpoint) {
  return const_cast<Contact*>(find(id, endpoint));
}

bool RoutingTable::address_is_taken(NodeInfo const& node) const {
  for (auto const& bucket : buckets_) {
    for (auto const& contact : bucket) {
      if (contact.node.id == node.id || contact.node.endpoint == node.endpoint) return true;
      if (one_contact_per_address_ && contact.node.endpoint.address == node.endpoint.address) {
        return true;
      }
    }
  }
  return false;
}

bool RoutingTable::has_place_for(NodeInfo const& node) const {
  if (node.id == self_ || address_is_taken(node)) return false;
  unsigned const index = bucket_of(node.id);
  if (index >= buckets_.size() || buckets_[index].size() < capacity_of(index)) return true;
  bool const secure = is_secure_id(node.id, node.endpoint.address);
  return std::any_of(buckets_[index].begin(), buckets_[index].end(), [&](Contact const& contact) {
    return contact.failures > 0 || (secure && !contact.secure);
  });
}

bool RoutingTable::insert(Contact const& contact) {
  unsigned const index = bucket_of(contact.node.id);
  if (index >= buckets_.size()) buckets_.resize(index + 1);
  Bucket& bucket = buckets_[index];
  if (bucket.size() < capacity_of(index)) {
    bucket.push_back(contact);
    ++size_;
    return true;
  }
  auto const worst =
      std::max_element(bucket.begin(), bucket.end(), [](Contact const& a, Contact const& b) {
        if (a.failures != b.failures) return a.failures < b.failures;
        return a.secure && !b.secure;
      });
  if (worst->failures == 0 && (worst->secure || !contact.secure)) return false;
  *worst = contact;
  return true;
}

bool RoutingTable::on_response(Instant now, NodeInfo const& node, std::uint32_t rtt_us) {
  if (node.id == self_) return false;
  if (Contact* const known = find_mutable(node.id, node.endpoint)) {
    known->last_response = now;
    known->failures = 0;
    if (rtt_us > 0) {
      known->rtt_us = known->rtt_us == 0 ? rtt_us : known->rtt_us - known->rtt_us / 4 + rtt_us / 4;
    }
    return true;
  }
  if (address_is_taken(node)) return false;
  return insert({node, now, {}, rtt_us, 0, is_secure_id(node.id, node.endpoint.address)});
}

void RoutingTable::seed(Instant now, NodeInfo const& node) {
  if (node.id == self_ || find(node.id, node.endpoint) != nullptr) return;
  insert({node, now, {}, 0, 0, is_secure_id(node.id, node.endpoint.address)});
}

Contact const* RoutingTable::on_asked(Instant now, NodeId const& id, Endpoint const& endpoint) {
  Contact* const known = find_mutable(id, endpoint);
  if (known != nullptr) known->last_asked = now;
  return known;
}

void RoutingTable::on_timeout(Endpoint const& endpoint, NodeId const& id) {
  Contact* const known = find_mutable(id, endpoint);
  if (known == nullptr || ++known->failures < failures_max) return;
  Bucket& bucket = buckets_[bucket_of(id)];
  *known = bucket.back();
  bucket.pop_back();
  --size_;
}

// A bucket's members share more bits with the target than those of any bucket before it; the
// buckets behind the target's own all share the same number, so they are sorted together.
std::vector<NodeInfo> RoutingTable::closest(NodeId const& target, std::size_t count,
                                            bool good_only) const {
  std::vector<NodeInfo> out;
  std::vector<NodeInfo> group;
  auto const collect = [&](std::size_t index) {
    for (auto const& contact : buckets_[index]) {
      if (!good_only || contact.failures == 0) group.push_back(contact.node);
    }
  };
  std::size_t const own = std::min<std::size_t>(bucket_of(target), buckets_.size());
  if (own < buckets_.size()) collect(own);
  append_sorted(out, group, target, count);
  for (std::size_t i = own + 1; i < buckets_.size() && out.size() < count; ++i) collect(i);
  append_sorted(out, group, target, count);
  for (std::size_t i = own; i-- > 0 && out.size() < count;) {
    collect(i);
    append_sorted(out, group, target, count);
  }
  return out;
}

Contact const* RoutingTable::most_silent(Instant now, Duration silence) const {
  Contact const* found = nullptr;
  for (auto const& bucket : buckets_) {
    for (auto const& contact : bucket) {
      if (now - contact.last_response <= silence) continue;
      if (now - contact.last_asked <= pause_after_asking) continue;
      if (found == nullptr || contact.last_response < found->last_response) found = &contact;
    }
  }
  return found;
}

std::optional<unsigned> RoutingTable::stale_bucket(Instant now, Duration silence) const {
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (i < refreshed_at_.size() && now - refreshed_at_[i] <= silence) continue;
    bool const fresh =
        std::any_of(buckets_[i].begin(), buckets_[i].end(),
                    [&](Contact const& contact) { return now - contact.last_response <= silence; });
    if (!fresh) return static_cast<unsigned>(i);
  }
  return std::nullopt;
}

void RoutingTable::on_refresh(Instant now, unsigned bucket) {
  if (bucket >= refreshed_at_.size()) refreshed_at_.resize(bucket + 1);
  refreshed_at_[bucket] = now;
}

std::vector<Contact> RoutingTable::contacts() const {
  std::vector<Contact> out;
  out.reserve(size_);
  for (auto const& bucket : buckets_) out.insert(out.end(), bucket.begin(), bucket.end());
  return out;
}

void RoutingTable::rebuild(NodeId const& self) {
  auto const old = contacts();
  self_ = self;
  buckets_.clear();
  refreshed_at_.clear();
  size_ = 0;
  for (auto const& contact : old) insert(contact);
}

}  // namespace dotkey::dht
