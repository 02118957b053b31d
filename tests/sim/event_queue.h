// SPDX-License-Identifier: Apache-2.0
// Virtual time: what happens next, ties in the order they were scheduled.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/assert.h"
#include "core/engine/time.h"

namespace dotkey::sim {

enum class EventKind : std::uint8_t { datagram, timer, call };

struct Event {
  engine::Instant at;
  std::uint64_t order = 0;
  std::uint32_t index = 0;  // into the datagrams, hosts or calls
  EventKind kind = EventKind::timer;
};

class EventQueue {
 public:
  void push(engine::Instant at, EventKind kind, std::uint32_t index) {
    heap_.push_back({at, next_order_++, index, kind});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  Event pop() {
    DOTKEY_ASSERT(!heap_.empty());
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Event const out = heap_.back();
    heap_.pop_back();
    return out;
  }

  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] engine::Instant next_at() const { return heap_.front().at; }

 private:
  static bool later(Event const& a, Event const& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }

  std::vector<Event> heap_;
  std::uint64_t next_order_ = 0;
};

// Values of type T kept by a small index that is used again after take().
template <class T>
class Slab {
 public:
  std::uint32_t put(T value) {
    if (free_.empty()) {
      slots_.push_back(std::move(value));
      return static_cast<std::uint32_t>(slots_.size() - 1);
    }
    std::uint32_t const index = free_.back();
    free_.pop_back();
    slots_[index] = std::move(value);
    return index;
  }

  T take(std::uint32_t index) {
    T out = std::move(slots_[index]);
    slots_[index] = T();
    free_.push_back(index);
    return out;
  }

 private:
  std::vector<T> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace dotkey::sim
