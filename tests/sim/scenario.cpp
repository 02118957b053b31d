// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/scenario.h"

#include <chrono>
#include <cstdio>

#include <malloc.h>

namespace dotkey::sim {

namespace {

double heap_bytes() {
  struct mallinfo2 const heap = mallinfo2();
  return static_cast<double>(heap.uordblks + heap.hblkhd);
}

template <class Samples, class Value>
Distribution collect(Samples const& samples, Value const& value) {
  Distribution out;
  for (auto const& sample : samples) {
    if (auto const number = value(sample)) out.add(*number);
  }
  return out;
}

std::optional<double> when(bool condition, double value) {
  return condition ? std::optional(value) : std::nullopt;
}

template <class Samples, class Predicate>
std::uint32_t count(Samples const& samples, Predicate const& predicate) {
  return static_cast<std::uint32_t>(std::count_if(samples.begin(), samples.end(), predicate));
}

}  // namespace

double ScenarioResult::found_share() const {
  if (gets.empty()) return 0;
  return count(gets, [](GetSample const& s) { return s.found; }) / static_cast<double>(gets.size());
}

std::uint32_t ScenarioResult::wrong() const {
  return count(gets, [](GetSample const& s) { return s.wrong; });
}

std::uint32_t ScenarioResult::stale() const {
  return count(gets, [](GetSample const& s) { return s.stale; });
}

std::uint32_t ScenarioResult::unfinished() const {
  return count(gets, [](GetSample const& s) { return !s.finished; }) +
         count(puts, [](PutSample const& s) { return !s.finished; });
}

Distribution ScenarioResult::first_ms() const {
  return collect(gets, [](GetSample const& s) { return when(s.first_ms >= 0, s.first_ms); });
}

Distribution ScenarioResult::finished_ms() const {
  return collect(gets, [](GetSample const& s) { return when(s.finished, s.finished_ms); });
}

Distribution ScenarioResult::sent() const {
  return collect(gets, [](GetSample const& s) { return when(s.finished, s.sent); });
}

Distribution ScenarioResult::sent_to_first() const {
  return collect(gets, [](GetSample const& s) { return when(s.first_ms >= 0, s.sent_to_first); });
}

Distribution ScenarioResult::hops() const {
  return collect(gets, [](GetSample const& s) { return when(s.hops > 0, s.hops); });
}

Distribution ScenarioResult::put_coverage() const {
  return collect(puts, [](PutSample const& s) { return when(true, s.coverage); });
}

Distribution ScenarioResult::put_ms() const {
  return collect(puts, [](PutSample const& s) { return when(s.finished, s.finished_ms); });
}

Distribution ScenarioResult::put_sent() const {
  return collect(puts, [](PutSample const& s) { return when(s.finished, s.sent); });
}

ScenarioResult run_scenario(Scenario const& scenario) {
  auto const started = std::chrono::steady_clock::now();
  ScenarioResult out;
  out.scenario = scenario;
  double const bytes_before = heap_bytes();
  World world(scenario.world);
  out.bytes_per_node = (heap_bytes() - bytes_before) / scenario.world.nodes;
  out.table_size = world.mean_table_size();
  Experiment experiment(world);
  out.puts = experiment.put_items(scenario.puts, scenario.interval);
  dht::GetOptions options;
  options.stop_at_first = scenario.stop_at_first;
  out.gets = experiment.get_items(scenario.gets, scenario.interval, options);
  out.traffic = world.traffic();
  out.events = world.events();
  out.trace = world.trace_hash();
  out.reached_events_max = world.reached_events_max();
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - started;
  out.wall_s = took.count();
  return out;
}

std::string render_table(std::vector<ScenarioResult> const& results) {
  std::string out =
      "   nodes  seed  one-way  found %  wrong stale  first ms      done ms       datagrams      "
      "hops  put cover  put ms  put   table  KiB/  wall  trace\n"
      "                  ms                            p50    p99    p50    p99   p50 p99 first  "
      " mean  mean   p1   p50     sent   size  node  s\n";
  for (ScenarioResult const& r : results) {
    char line[400];
    std::snprintf(line, sizeof line,
                  "%8u %5llu  %7lld %8.2f %6u %5u %6.0f %6.0f %6.0f %6.0f %5.0f %3.0f %5.0f %6.2f "
                  "%5.2f %4.0f "
                  "%6.0f %6.0f %6.0f %5.1f %5.1f  %016llx%s\n",
                  r.scenario.world.nodes, static_cast<unsigned long long>(r.scenario.world.seed),
                  static_cast<long long>(r.scenario.world.latency.one_way_median.ms()),
                  100 * r.found_share(), r.wrong(), r.stale(), r.first_ms().median(),
                  r.first_ms().quantile(0.99), r.finished_ms().median(),
                  r.finished_ms().quantile(0.99), r.sent().median(), r.sent().quantile(0.99),
                  r.sent_to_first().median(), r.hops().mean(), r.put_coverage().mean(),
                  r.put_coverage().quantile(0.01), r.put_ms().median(), r.put_sent().median(),
                  r.table_size, r.bytes_per_node / 1024, r.wall_s,
                  static_cast<unsigned long long>(r.trace),
                  r.unfinished() > 0     ? "  HUNG COMMANDS"
                  : r.reached_events_max ? "  EVENT CAP"
                                         : "");
    out += line;
  }
  return out;
}

}  // namespace dotkey::sim
