// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/svg.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace dotkey::sim {

namespace {

constexpr double width = 760;
constexpr double height = 420;
constexpr double left = 68;
constexpr double right = 24;
constexpr double top = 84;
constexpr double bottom = 58;
constexpr int colours = 6;

// Hues that stand apart for colour-blind readers too; ink and paper follow the page's scheme. Plain
// rules, no variables: some renderers know none.
constexpr char const* style = R"(<style>
text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2328}
.title{font-size:17px;font-weight:600}.dim,.tick{fill:#59636e}.tick{font-size:12px}
.paper{fill:#fff}.grid{stroke:#e4e8ec}.axis{stroke:#59636e}
.goal{stroke:#59636e;stroke-width:1.2;stroke-dasharray:5 4}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.f0{fill:#0b69c7}.f1{fill:#c2410c}.f2{fill:#1a7f37}
.f3{fill:#8250df}.f4{fill:#a16207}.f5{fill:#be185d}
.s0{stroke:#0b69c7}.s1{stroke:#c2410c}.s2{stroke:#1a7f37}
.s3{stroke:#8250df}.s4{stroke:#a16207}.s5{stroke:#be185d}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.dim,.tick{fill:#9198a1}.paper{fill:#0d1117}
.grid{stroke:#272d36}.axis,.goal{stroke:#9198a1}
.f0{fill:#4ea1ff}.f1{fill:#ff8b4d}.f2{fill:#4cc366}
.f3{fill:#b78cff}.f4{fill:#e3b341}.f5{fill:#ff7eb6}
.s0{stroke:#4ea1ff}.s1{stroke:#ff8b4d}.s2{stroke:#4cc366}
.s3{stroke:#b78cff}.s4{stroke:#e3b341}.s5{stroke:#ff7eb6}}
</style>
)";

__attribute__((format(printf, 2, 3))) void put(std::string& out, char const* format, ...) {
  char text[512];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  out += text;
}

std::string escape(std::string const& text) {
  std::string out;
  for (char const c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
  return out;
}

// 1, 2 or 5 times a power of ten that gives about `count` steps.
double nice_step(double span, int count) {
  double const rough = span / count;
  double const power = std::pow(10.0, std::floor(std::log10(rough)));
  for (double const factor : {1.0, 2.0, 5.0}) {
    if (power * factor >= rough * 0.999) return power * factor;
  }
  return power * 10;
}

std::vector<double> ticks_of(Axis const& axis) {
  std::vector<double> out;
  if (axis.logarithmic) {
    for (double tick = std::pow(10.0, std::ceil(std::log10(axis.min) - 1e-9));
         tick <= axis.max * 1.001; tick *= 10) {
      out.push_back(tick);
    }
    return out;
  }
  double const step = nice_step(axis.max - axis.min, 7);
  for (double tick = std::ceil(axis.min / step) * step; tick <= axis.max + step * 1e-6;
       tick += step) {
    out.push_back(tick);
  }
  return out;
}

std::string tick_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", std::abs(value) < 1e-12 ? 0.0 : value);
  std::string out = text;
  // 10000 -> 10 000, with a thin space.
  if (value >= 1000 && out.find_first_of(".e") == std::string::npos) {
    for (auto i = static_cast<std::ptrdiff_t>(out.size()) - 3; i > 0; i -= 3) {
      out.insert(static_cast<std::size_t>(i), "\u2009");
    }
  }
  return out;
}

class Plane {
 public:
  explicit Plane(Chart const& chart) : chart_(chart) {}
  [[nodiscard]] double x(double value) const {
    return left + (width - left - right) * fraction(chart_.x, value);
  }
  [[nodiscard]] double y(double value) const {
    return height - bottom - (height - top - bottom) * fraction(chart_.y, value);
  }

 private:
  static double fraction(Axis const& axis, double value) {
    double const out = axis.logarithmic ? std::log(std::max(value, axis.min) / axis.min) /
                                              std::log(axis.max / axis.min)
                                        : (value - axis.min) / (axis.max - axis.min);
    return std::clamp(out, 0.0, 1.0);
  }
  Chart const& chart_;
};

void fit(Axis& axis, bool is_x, Chart const& chart) {
  if (axis.max > axis.min) return;
  double largest = axis.logarithmic ? axis.min * 10 : axis.min;
  for (Series const& series : chart.series) {
    for (auto const& [x, y] : series.points) largest = std::max(largest, is_x ? x : y);
  }
  for (Goal const& goal : chart.goals) {
    if (goal.vertical == is_x) largest = std::max(largest, goal.value * 1.08);
  }
  if (largest <= axis.min) largest = axis.min + 1;
  double const step = nice_step(largest - axis.min, 7);
  axis.max = axis.logarithmic ? largest : axis.min + std::ceil((largest - axis.min) / step) * step;
}

void draw_axes(std::string& out, Chart const& chart, Plane const& plane) {
  for (double const tick : ticks_of(chart.y)) {
    double const y = plane.y(tick);
    put(out, "<line class='grid' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>", left, width - right, y,
        y);
    put(out, "<text class='tick' text-anchor='end' x='%.1f' y='%.1f'>%s</text>\n", left - 8, y + 4,
        tick_text(tick).c_str());
  }
  for (double const tick : ticks_of(chart.x)) {
    double const x = plane.x(tick);
    put(out, "<line class='axis' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>", x, x, height - bottom,
        height - bottom + 5);
    put(out, "<text class='tick' text-anchor='middle' x='%.1f' y='%.1f'>%s</text>\n", x,
        height - bottom + 20, tick_text(tick).c_str());
  }
  put(out, "<line class='axis' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>\n", left, width - right,
      height - bottom, height - bottom);
  put(out, "<text class='dim' text-anchor='middle' x='%.1f' y='%.1f'>%s</text>\n",
      (left + width - right) / 2, height - 16, escape(chart.x.label).c_str());
  put(out,
      "<text class='dim' text-anchor='middle' transform='translate(18 %.1f) rotate(-90)'>%s"
      "</text>\n",
      (top + height - bottom) / 2, escape(chart.y.label).c_str());
}

void draw_bars(std::string& out, Series const& series, std::size_t index, std::size_t of,
               Plane const& plane) {
  double step = 1;
  for (std::size_t i = 1; i < series.points.size(); ++i) {
    double const gap = series.points[i].first - series.points[i - 1].first;
    step = i == 1 ? gap : std::min(step, gap);
  }
  double const slot = (plane.x(step) - plane.x(0)) * 0.86;
  double const bar = slot / static_cast<double>(of);
  for (auto const& [x, y] : series.points) {
    double const at = plane.x(x) - slot / 2 + bar * static_cast<double>(index);
    put(out, "<rect x='%.2f' y='%.2f' width='%.2f' height='%.2f' class='f%d'/>\n", at, plane.y(y),
        bar, std::max(0.0, plane.y(0) - plane.y(y)), static_cast<int>(index) % colours);
  }
}

void draw_line(std::string& out, Series const& series, std::size_t index, Plane const& plane) {
  int const colour = static_cast<int>(index) % colours;
  put(out, "<polyline class='line s%d' points='", colour);
  for (auto const& [x, y] : series.points) put(out, "%.1f,%.1f ", plane.x(x), plane.y(y));
  out += "'/>\n";
  if (series.mark != Mark::line_with_dots) return;
  for (auto const& [x, y] : series.points) {
    put(out, "<circle cx='%.1f' cy='%.1f' r='3.5' class='f%d'/>\n", plane.x(x), plane.y(y), colour);
  }
}

void draw_goals(std::string& out, Chart const& chart, Plane const& plane) {
  for (Goal const& goal : chart.goals) {
    double const at = goal.vertical ? plane.x(goal.value) : plane.y(goal.value);
    if (goal.vertical) {
      put(out, "<line class='goal' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>", at, at, top,
          height - bottom);
      // Where the marks are not: bars leave the top free, rising lines the bottom.
      bool const bars = !chart.series.empty() && chart.series.front().mark == Mark::bars;
      put(out, "<text class='tick' x='%.1f' y='%.1f'>%s</text>\n", at + 5,
          bars ? top + 12 : height - bottom - 8, escape(goal.label).c_str());
    } else {
      put(out, "<line class='goal' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>", left, width - right,
          at, at);
      put(out, "<text class='tick' text-anchor='end' x='%.1f' y='%.1f'>%s</text>\n", width - right,
          at - 5, escape(goal.label).c_str());
    }
  }
}

void draw_legend(std::string& out, Chart const& chart) {
  double x = left;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    put(out, "<rect x='%.1f' y='62' width='12' height='12' rx='2' class='f%d'/>", x,
        static_cast<int>(i) % colours);
    put(out, "<text x='%.1f' y='72.5'>%s</text>\n", x + 18, escape(chart.series[i].name).c_str());
    x += 40 + 7.0 * static_cast<double>(chart.series[i].name.size());
  }
}

}  // namespace

std::string render_svg(Chart chart) {
  fit(chart.x, true, chart);
  fit(chart.y, false, chart);
  Plane const plane(chart);
  std::string out;
  put(out, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %g %g' role='img'>\n", width,
      height);
  put(out, "<title>%s</title>\n", escape(chart.title).c_str());
  out += style;
  put(out, "<rect width='%g' height='%g' class='paper'/>\n", width, height);
  put(out, "<text class='title' x='%g' y='28'>%s</text>\n", left, escape(chart.title).c_str());
  put(out, "<text class='dim' x='%g' y='48'>%s</text>\n", left, escape(chart.subtitle).c_str());
  draw_axes(out, chart, plane);
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    if (chart.series[i].mark == Mark::bars) {
      draw_bars(out, chart.series[i], i, chart.series.size(), plane);
    } else {
      draw_line(out, chart.series[i], i, plane);
    }
  }
  draw_goals(out, chart, plane);
  if (chart.series.size() > 1) draw_legend(out, chart);
  out += "</svg>\n";
  return out;
}

}  // namespace dotkey::sim
