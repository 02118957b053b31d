// SPDX-License-Identifier: Apache-2.0
// The simulator's results as charts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/sim/scenario.h"
#include "tests/sim/svg.h"

namespace dotkey::sim {

// A named group of results, pooled into one series: the seeds of one scenario.
using Pool = std::pair<std::string, std::vector<ScenarioResult>>;

Chart chart_latency(std::vector<Pool> const& pools, std::string const& subtitle);
Chart chart_datagrams(std::vector<Pool> const& pools, std::string const& subtitle);
Chart chart_hops(std::vector<Pool> const& pools, std::string const& subtitle);
Chart chart_coverage(std::vector<Pool> const& pools, std::string const& subtitle);
// One result a network size.
Chart chart_scaling_cost(std::vector<ScenarioResult> const& results, std::string const& subtitle);
Chart chart_scaling_time(std::vector<ScenarioResult> const& results, std::string const& subtitle);

// Found share over time since the put, one series a case.
struct SuccessOverTime {
  std::string name;
  std::vector<std::pair<double, double>> minutes_and_share;
};
Chart chart_success(std::vector<SuccessOverTime> const& cases, std::string const& subtitle);

// Writes DIR/<name>.svg. False when it cannot.
bool write_chart(std::string const& directory, std::string const& name, Chart const& chart);

}  // namespace dotkey::sim
