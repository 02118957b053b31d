// SPDX-License-Identifier: Apache-2.0
// Small charts as SVG files that read well on light and on dark pages.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace dotkey::sim {

enum class Mark { line, line_with_dots, bars };

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  // ascending x
  Mark mark = Mark::line;
};

struct Axis {
  std::string label;  // with its unit: "time to first value (ms)"
  double min = 0;
  double max = 0;  // 0: as large as the data
  bool logarithmic = false;
};

// A dashed line at `value`, for a number to reach.
struct Goal {
  double value = 0;
  bool vertical = false;
  std::string label;
};

struct Chart {
  std::string title;
  std::string subtitle;
  Axis x;
  Axis y;
  std::vector<Series> series;
  std::vector<Goal> goals;
};

std::string render_svg(Chart chart);

}  // namespace dotkey::sim
