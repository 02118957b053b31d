// SPDX-License-Identifier: Apache-2.0
// What an engine wants done, in order. The driver drains it after every command and input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

namespace dotkey::engine {

template <class Effect>
class EffectQueue {
 public:
  explicit EffectQueue(std::size_t size_max) : size_max_(size_max) {}

  // Refuses (and counts) what an undrained driver would let grow without bound.
  bool push(Effect effect) {
    if (queue_.size() >= size_max_) {
      ++refused_;
      return false;
    }
    queue_.push_back(std::move(effect));
    return true;
  }

  // For the few effects that must not be lost: results of the application's own commands.
  void push_always(Effect effect) { queue_.push_back(std::move(effect)); }

  std::optional<Effect> poll() {
    if (queue_.empty()) return std::nullopt;
    std::optional<Effect> out(std::move(queue_.front()));
    queue_.pop_front();
    return out;
  }

  [[nodiscard]] bool empty() const { return queue_.empty(); }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  std::deque<Effect> queue_;
  std::size_t size_max_;
  std::uint64_t refused_ = 0;
};

}  // namespace dotkey::engine
