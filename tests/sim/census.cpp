// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/census.h"

#include <algorithm>

#include "core/dht/node_id.h"
#include "core/dht/routing_table.h"

namespace dotkey::sim {

namespace {

bool by_id(Resident const& a, Resident const& b) {
  return a.info.id < b.info.id;
}

NodeId flip_bit(NodeId id, std::size_t bit) {
  id.bytes[bit / 8] = static_cast<std::uint8_t>(id.bytes[bit / 8] ^ (0x80U >> (bit % 8)));
  return id;
}

// The lowest (`fill` 0x00) or highest (`fill` 0xff) id that shares the first `bits` bits.
NodeId prefix_bound(NodeId id, std::size_t bits, std::uint8_t fill) {
  for (std::size_t i = 0; i < NodeId::size; ++i) {
    if (i * 8 >= bits) {
      id.bytes[i] = fill;
    } else if (i * 8 + 8 > bits) {
      auto const keep = static_cast<std::uint8_t>(0xffU << (8 - (bits - i * 8)));
      id.bytes[i] = static_cast<std::uint8_t>((id.bytes[i] & keep) | (fill & ~keep));
    }
  }
  return id;
}

}  // namespace

void Census::sort() {
  std::sort(residents_.begin(), residents_.end(), by_id);
}

void Census::insert(Resident const& resident) {
  residents_.insert(std::lower_bound(residents_.begin(), residents_.end(), resident, by_id),
                    resident);
}

void Census::remove(NodeId const& id) {
  Resident wanted;
  wanted.info.id = id;
  auto const found = std::lower_bound(residents_.begin(), residents_.end(), wanted, by_id);
  if (found != residents_.end() && found->info.id == id) residents_.erase(found);
}

Census::Range Census::with_prefix(NodeId const& id, std::size_t bits, Range within) const {
  Resident low;
  Resident high;
  low.info.id = prefix_bound(id, bits, 0x00);
  high.info.id = prefix_bound(id, bits, 0xff);
  auto const at = [this](std::size_t index) {
    return residents_.begin() + static_cast<std::ptrdiff_t>(index);
  };
  auto const begin = std::lower_bound(at(within.begin), at(within.end), low, by_id);
  auto const end = std::upper_bound(begin, at(within.end), high, by_id);
  return {static_cast<std::size_t>(begin - residents_.begin()),
          static_cast<std::size_t>(end - residents_.begin())};
}

std::vector<Resident> Census::closest(NodeId const& target, std::size_t count) const {
  // Whoever shares more bits with the target is nearer: take the longest prefix that suffices.
  Range range{0, residents_.size()};
  for (std::size_t bits = 1; bits <= NodeId::size * 8; ++bits) {
    Range const narrower = with_prefix(target, bits, range);
    if (narrower.end - narrower.begin < count) break;
    range = narrower;
  }
  std::vector<Resident> out(residents_.begin() + static_cast<std::ptrdiff_t>(range.begin),
                            residents_.begin() + static_cast<std::ptrdiff_t>(range.end));
  std::sort(out.begin(), out.end(), [&target](Resident const& a, Resident const& b) {
    return dht::is_closer(target, a.info.id, b.info.id);
  });
  if (out.size() > count) out.resize(count);
  return out;
}

std::vector<NodeInfo> Census::draw_table(NodeId const& own, std::size_t bucket_max,
                                         test::SeededEntropy& random) const {
  std::vector<NodeInfo> out;
  Range near{0, residents_.size()};
  for (unsigned bits = 0; bits < NodeId::size * 8 && near.begin < near.end; ++bits) {
    Range const bucket = with_prefix(flip_bit(own, bits), bits + 1, near);
    std::size_t const size = bucket.end - bucket.begin;
    std::size_t const wanted = std::min({size, bucket_max, dht::RoutingTable::capacity_of(bits)});
    // Floyd's sampling: each subset of `wanted` is equally likely, without a copy of the bucket.
    std::vector<std::size_t> chosen;
    for (std::size_t i = size - wanted; i < size; ++i) {
      std::size_t pick = random.below(static_cast<std::uint32_t>(i + 1));
      if (std::find(chosen.begin(), chosen.end(), pick) != chosen.end()) pick = i;
      chosen.push_back(pick);
    }
    for (std::size_t const pick : chosen) out.push_back(residents_[bucket.begin + pick].info);
    near = with_prefix(own, bits + 1, near);
    if (near.end - near.begin == 1 && residents_[near.begin].info.id == own) break;
  }
  return out;
}

}  // namespace dotkey::sim
