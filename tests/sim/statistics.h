// SPDX-License-Identifier: Apache-2.0
// Order statistics of samples.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace dotkey::sim {

class Distribution {
 public:
  void add(double value) {
    values_.push_back(value);
    is_sorted_ = false;
  }
  [[nodiscard]] std::size_t count() const { return values_.size(); }

  // Nearest rank; 0 for no samples. `share` in (0, 1].
  [[nodiscard]] double quantile(double share) const {
    if (values_.empty()) return 0;
    auto const rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(count())));
    return sorted()[std::clamp<std::size_t>(rank, 1, count()) - 1];
  }
  [[nodiscard]] double median() const { return quantile(0.5); }
  [[nodiscard]] double mean() const {
    double sum = 0;
    for (double const value : values_) sum += value;
    return values_.empty() ? 0 : sum / static_cast<double>(count());
  }
  [[nodiscard]] std::vector<double> const& sorted() const {
    if (!is_sorted_) {
      std::sort(values_.begin(), values_.end());
      is_sorted_ = true;
    }
    return values_;
  }

 private:
  mutable std::vector<double> values_;
  mutable bool is_sorted_ = true;
};

}  // namespace dotkey::sim
