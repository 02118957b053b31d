// SPDX-License-Identifier: Apache-2.0
// One simulated network, its puts and gets, and the row they make in the table.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/experiment.h"
#include "tests/sim/statistics.h"

namespace dotkey::sim {

struct Scenario {
  WorldSettings world;
  std::uint32_t puts = 1000;
  std::uint32_t gets = 1000;
  Duration interval = Duration::from_ms(50);  // between two commands
  bool stop_at_first = false;
};

struct ScenarioResult {
  Scenario scenario;
  std::vector<PutSample> puts;
  std::vector<GetSample> gets;
  Traffic traffic;
  std::uint64_t events = 0;
  std::uint64_t trace = 0;
  bool reached_events_max = false;
  double bytes_per_node = 0;  // on the heap, before the first put
  double table_size = 0;      // mean, when the puts begin
  double wall_s = 0;
  [[nodiscard]] double found_share() const;
  [[nodiscard]] std::uint32_t wrong() const;
  [[nodiscard]] std::uint32_t stale() const;
  [[nodiscard]] std::uint32_t unfinished() const;
  [[nodiscard]] Distribution first_ms() const;
  [[nodiscard]] Distribution finished_ms() const;
  [[nodiscard]] Distribution sent() const;
  [[nodiscard]] Distribution sent_to_first() const;
  [[nodiscard]] Distribution hops() const;
  [[nodiscard]] Distribution put_coverage() const;
  [[nodiscard]] Distribution put_ms() const;
  [[nodiscard]] Distribution put_sent() const;
};

ScenarioResult run_scenario(Scenario const& scenario);

// The table as text; one row a result.
std::string render_table(std::vector<ScenarioResult> const& results);

}  // namespace dotkey::sim
