// SPDX-License-Identifier: Apache-2.0
// How long to wait for an answer, learned from the answers that came (after RFC 6298).
#pragma once

#include <algorithm>

#include "core/engine/time.h"

namespace dotkey::dht {

using engine::Duration;

struct Patience {
  Duration overdue;  // ask somebody else beside it
  Duration lost;     // count on it no more; a late answer is still welcome
};

class RoundTrip {
 public:
  void on_sample(Duration rtt) {
    if (!known_) {
      mean_ = rtt;
      deviation_ = rtt / 2;
      known_ = true;
      return;
    }
    Duration const error = rtt > mean_ ? rtt - mean_ : mean_ - rtt;
    deviation_ = deviation_ + (error - deviation_) / 16;
    mean_ = mean_ + (rtt - mean_) / 16;
  }

  // `node_rtt_us`: what was measured with this node; 0 = never asked.
  [[nodiscard]] Patience patience_for(std::uint32_t node_rtt_us) const {
    if (!known_) return {overdue_initial, lost_initial};
    Duration overdue = mean_ + deviation_;
    Duration lost = mean_ + deviation_ * 4;
    if (node_rtt_us > 0) {
      Duration const own = Duration::from_us(node_rtt_us);
      overdue = own + own / 2;
      lost = std::max(own * 3, overdue + deviation_);
    }
    overdue = std::clamp(overdue, overdue_min, overdue_max);
    return {overdue, std::clamp(lost, std::max(lost_min, overdue), lost_max)};
  }

 private:
  static constexpr Duration overdue_initial = Duration::from_ms(300);
  static constexpr Duration lost_initial = Duration::from_ms(1000);
  static constexpr Duration overdue_min = Duration::from_ms(10);
  static constexpr Duration overdue_max = Duration::from_ms(1000);
  static constexpr Duration lost_min = Duration::from_ms(100);
  static constexpr Duration lost_max = Duration::from_ms(3000);
  Duration mean_;
  Duration deviation_;
  bool known_ = false;
};

}  // namespace dotkey::dht
