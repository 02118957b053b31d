// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/plots.h"

#include <cmath>
#include <fstream>
#include <map>

namespace dotkey::sim {

namespace {

template <class Select>
Distribution pooled(std::vector<ScenarioResult> const& results, Select const& select) {
  Distribution out;
  for (ScenarioResult const& result : results) {
    Distribution const one = select(result);
    for (double const value : one.sorted()) out.add(value);
  }
  return out;
}

// In per cent of all samples, at most 200 points.
Series cumulative(std::string name, Distribution const& values) {
  Series out{std::move(name), {}, Mark::line};
  auto const& sorted = values.sorted();
  auto const n = static_cast<double>(sorted.size());
  std::size_t const stride = std::max<std::size_t>(1, sorted.size() / 200);
  for (std::size_t i = 0; i < sorted.size(); i += stride) {
    out.points.emplace_back(sorted[i], 100.0 * static_cast<double>(i + 1) / n);
  }
  if (!sorted.empty()) out.points.emplace_back(sorted.back(), 100.0);
  return out;
}

// In per cent of all samples, by whole multiples of `width`.
Series histogram(std::string name, Distribution const& values, double width) {
  std::map<double, double> bins;
  for (double const value : values.sorted()) bins[std::floor(value / width) * width] += 1;
  Series out{std::move(name), {}, Mark::bars};
  for (auto const& [at, n] : bins) {
    out.points.emplace_back(at + (width > 1 ? width / 2 : 0),
                            100.0 * n / static_cast<double>(values.count()));
  }
  return out;
}

}  // namespace

Chart chart_latency(std::vector<Pool> const& pools, std::string const& subtitle) {
  Chart out;
  out.title = "Time from the command to the first verified value";
  out.subtitle = subtitle;
  out.x = {"time (ms)", 0, 2000};
  out.y = {"gets with a value by then (%)", 0, 100};
  for (Pool const& pool : pools) {
    auto const values = pooled(pool.second, [](auto const& r) { return r.first_ms(); });
    out.series.push_back(cumulative(pool.first, values));
  }
  out.goals = {{400, true, "goal: median 400 ms"}, {1500, true, "goal: p99 1 500 ms"}};
  return out;
}

Chart chart_datagrams(std::vector<Pool> const& pools, std::string const& subtitle) {
  Chart out;
  out.title = "Datagrams sent per get";
  out.subtitle = subtitle;
  out.x = {"queries sent by the asking node until the get ended", 0, 0};
  out.y = {"gets (%)", 0, 0};
  for (Pool const& pool : pools) {
    auto const values = pooled(pool.second, [](auto const& r) { return r.sent(); });
    out.series.push_back(histogram(pool.first, values, 2));
  }
  out.goals = {{40, true, "goal: median 40"}};
  return out;
}

Chart chart_hops(std::vector<Pool> const& pools, std::string const& subtitle) {
  Chart out;
  out.title = "Hops to the first verified value";
  out.subtitle = subtitle;
  out.x = {"hops (1 = a node of the asker's own routing table)", 0, 6};
  out.y = {"gets (%)", 0, 0};
  for (Pool const& pool : pools) {
    auto const values = pooled(pool.second, [](auto const& r) { return r.hops(); });
    out.series.push_back(histogram(pool.first, values, 1));
  }
  return out;
}

Chart chart_coverage(std::vector<Pool> const& pools, std::string const& subtitle) {
  Chart out;
  out.title = "How many of the true 20 closest live nodes a put reaches";
  out.subtitle = subtitle;
  out.x = {"nodes holding the item one second after the put", 0, 21};
  out.y = {"puts (%)", 0, 0};
  for (Pool const& pool : pools) {
    auto const values = pooled(pool.second, [](auto const& r) { return r.put_coverage(); });
    out.series.push_back(histogram(pool.first, values, 1));
  }
  out.goals = {{18, true, "goal: mean 18"}};
  return out;
}

Chart chart_scaling_cost(std::vector<ScenarioResult> const& results, std::string const& subtitle) {
  Chart out;
  out.title = "Cost of a lookup by size of the network";
  out.subtitle = subtitle;
  out.x = {"nodes in the network (logarithmic)", 100, 0, true};
  out.y = {"queries sent by the asking node", 0, 0};
  Series all{"until the get ended (median)", {}, Mark::line_with_dots};
  Series first{"until the first value (median)", {}, Mark::line_with_dots};
  Series puts{"put (median)", {}, Mark::line_with_dots};
  for (ScenarioResult const& result : results) {
    double const nodes = result.scenario.world.nodes;
    all.points.emplace_back(nodes, result.sent().median());
    first.points.emplace_back(nodes, result.sent_to_first().median());
    puts.points.emplace_back(nodes, result.put_sent().median());
  }
  out.series = {all, first, puts};
  return out;
}

Chart chart_scaling_time(std::vector<ScenarioResult> const& results, std::string const& subtitle) {
  Chart out;
  out.title = "Time to the first verified value by size of the network";
  out.subtitle = subtitle;
  out.x = {"nodes in the network (logarithmic)", 100, 0, true};
  out.y = {"time (ms)", 0, 0};
  Series median{"median", {}, Mark::line_with_dots};
  Series slow{"p99", {}, Mark::line_with_dots};
  for (ScenarioResult const& result : results) {
    double const nodes = result.scenario.world.nodes;
    median.points.emplace_back(nodes, result.first_ms().median());
    slow.points.emplace_back(nodes, result.first_ms().quantile(0.99));
  }
  out.series = {median, slow};
  return out;
}

Chart chart_success(std::vector<SuccessOverTime> const& cases, std::string const& subtitle) {
  Chart out;
  out.title = "Success over time under churn, by mean lifetime of a node";
  out.subtitle = subtitle;
  out.x = {"time since the put (min)", 0, 0};
  out.y = {"gets that find the value (%)", 0, 100};
  for (SuccessOverTime const& one : cases) {
    Series series{one.name, {}, Mark::line_with_dots};
    for (auto const& [minutes, share] : one.minutes_and_share) {
      series.points.emplace_back(minutes, 100 * share);
    }
    out.series.push_back(series);
  }
  return out;
}

bool write_chart(std::string const& directory, std::string const& name, Chart const& chart) {
  std::ofstream file(directory + "/" + name + ".svg");
  file << render_svg(chart);
  return static_cast<bool>(file);
}

}  // namespace dotkey::sim
