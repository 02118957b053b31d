// SPDX-License-Identifier: Apache-2.0
// dotkey-sim: simulated networks from the command line. docs/SIMULATION.md explains the output.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/sim/plots.h"
#include "tests/sim/scenario.h"

namespace dotkey::sim {

namespace {

struct Options {
  std::uint32_t nodes = 10'000;
  std::uint32_t nodes_max = 100'000;
  std::vector<std::uint64_t> seeds{1, 2, 3};
  std::string latency = "both";
  double median_ms = 80;
  double sigma = 0.5;
  double loss_percent = 3;
  double duplication_percent = 0;
  double reordering_percent = 0;
  double dead_percent = 20;
  double nat_percent = 25;
  double liars_percent = 0;
  double lifetime_min = 0;
  std::uint32_t gets = 1000;
  std::uint32_t puts = 1000;
  std::uint32_t interval_ms = 50;
  std::uint32_t bucket_max = 0;
  std::uint32_t minutes = 60;
  bool grown = false;
  bool stop_at_first = false;
  std::string svg;
};

Scenario scenario_of(Options const& options, std::uint64_t seed, bool one_way) {
  Scenario out;
  out.world.nodes = options.nodes;
  out.world.seed = seed;
  out.world.grown = options.grown;
  if (options.bucket_max > 0) out.world.bucket_max = options.bucket_max;
  auto const median_us = static_cast<std::int64_t>(options.median_ms * 1000);
  out.world.latency.one_way_median = Duration::from_us(one_way ? median_us : median_us / 2);
  out.world.latency.sigma = options.sigma;
  Faults& faults = out.world.faults;
  faults.loss = options.loss_percent / 100;
  faults.duplication = options.duplication_percent / 100;
  faults.reordering = options.reordering_percent / 100;
  faults.dead = options.dead_percent / 100;
  faults.nat = options.nat_percent / 100;
  faults.liars = options.liars_percent / 100;
  faults.mean_lifetime = Duration::from_us(static_cast<std::int64_t>(options.lifetime_min * 60e6));
  out.puts = options.puts;
  out.gets = options.gets;
  out.interval = Duration::from_ms(options.interval_ms);
  out.stop_at_first = options.stop_at_first;
  return out;
}

std::string headline(Options const& options) {
  Scenario const scenario = scenario_of(options, 1, true);
  char text[200];
  std::snprintf(text, sizeof text, "%u nodes, %s, latency log-normal, median %g ms, sigma %g",
                options.nodes, describe(scenario.world.faults).c_str(), options.median_ms,
                options.sigma);
  return text;
}

std::vector<bool> ways_of(Options const& options) {
  if (options.latency == "rtt") return {false};
  if (options.latency == "one-way") return {true};
  return {false, true};
}

void save(Options const& options, char const* name, Chart const& chart) {
  if (options.svg.empty()) return;
  std::filesystem::create_directories(options.svg);
  if (!write_chart(options.svg, name, chart)) {
    std::fprintf(stderr, "cannot write %s/%s.svg\n", options.svg.c_str(), name);
  }
}

// A network that breaks a promise of safety fails the run; slow ones do not.
bool is_safe(std::vector<ScenarioResult> const& results) {
  for (ScenarioResult const& result : results) {
    if (result.wrong() > 0 || result.unfinished() > 0 || result.reached_events_max) return false;
  }
  return true;
}

int run(Options const& options) {
  std::printf("%s\n", headline(options).c_str());
  std::vector<Pool> pools;
  std::vector<ScenarioResult> all;
  for (bool const one_way : ways_of(options)) {
    Pool pool{one_way ? "median is one way" : "median is the round trip", {}};
    for (std::uint64_t const seed : options.seeds) {
      pool.second.push_back(run_scenario(scenario_of(options, seed, one_way)));
      all.push_back(pool.second.back());
      std::fprintf(stderr, "seed %llu done\n", static_cast<unsigned long long>(seed));
    }
    pools.push_back(std::move(pool));
  }
  std::printf("%s", render_table(all).c_str());
  std::string const subtitle = headline(options);
  save(options, "latency", chart_latency(pools, subtitle));
  save(options, "datagrams", chart_datagrams(pools, subtitle));
  save(options, "hops", chart_hops(pools, subtitle));
  save(options, "coverage", chart_coverage(pools, subtitle));
  return is_safe(all) ? 0 : 1;
}

int scale(Options options) {
  std::vector<ScenarioResult> results;
  bool const one_way = options.latency != "rtt";
  for (double nodes = 100; nodes <= options.nodes_max * 1.01; nodes *= std::sqrt(10.0)) {
    options.nodes = static_cast<std::uint32_t>(std::lround(nodes));
    results.push_back(run_scenario(scenario_of(options, options.seeds.front(), one_way)));
    std::fprintf(stderr, "%u nodes done\n", options.nodes);
  }
  std::printf("%s", render_table(results).c_str());
  Scenario const scenario = scenario_of(options, 1, one_way);
  std::string const subtitle =
      describe(scenario.world.faults) + (one_way ? ", 80 ms one way" : ", 80 ms round trip");
  save(options, "scaling-datagrams", chart_scaling_cost(results, subtitle));
  save(options, "scaling-time", chart_scaling_time(results, subtitle));
  return is_safe(results) ? 0 : 1;
}

SuccessOverTime follow(Options const& options, double lifetime_min, bool republish) {
  constexpr int minutes_between = 10;
  constexpr int minutes_total = 150;
  Scenario scenario = scenario_of(options, options.seeds.front(), options.latency != "rtt");
  scenario.world.faults.mean_lifetime =
      Duration::from_us(static_cast<std::int64_t>(lifetime_min * 60e6));
  World world(scenario.world);
  Experiment experiment(world);
  experiment.put_items(scenario.puts, scenario.interval);
  SuccessOverTime out;
  char name[64];
  std::snprintf(name, sizeof name, "%g min%s", lifetime_min, republish ? ", put hourly" : "");
  out.name = name;
  Instant const start = world.now();
  for (int minute = 0; minute <= minutes_total; minute += minutes_between) {
    world.run_until(start + Duration::from_s(60) * minute);
    if (republish && minute > 0 && minute % 60 == 0) experiment.put_again(scenario.interval);
    auto const gets = experiment.get_items(scenario.gets, scenario.interval, {});
    double const found = static_cast<double>(
        std::count_if(gets.begin(), gets.end(), [](GetSample const& s) { return s.found; }));
    out.minutes_and_share.emplace_back(minute, found / static_cast<double>(gets.size()));
    std::printf("%-36s %4d min  found %6.2f %%\n", out.name.c_str(), minute,
                100 * out.minutes_and_share.back().second);
  }
  return out;
}

int churn(Options const& options) {
  std::vector<SuccessOverTime> cases;
  for (double const lifetime_min : {240.0, 60.0}) {
    for (bool const republish : {false, true}) {
      cases.push_back(follow(options, lifetime_min, republish));
    }
  }
  save(options, "churn", chart_success(cases, headline(options)));
  return 0;
}

// What a network costs that nobody asks anything.
int idle(Options const& options) {
  constexpr std::uint32_t minutes_between = 10;
  World world(scenario_of(options, options.seeds.front(), options.latency != "rtt").world);
  std::printf("%s\n minutes  datagrams/node/min  bytes/node/min  table size\n",
              headline(options).c_str());
  for (std::uint32_t minute = 0; minute < options.minutes; minute += minutes_between) {
    Traffic const before = world.traffic();
    world.run_for(Duration::from_s(60 * minutes_between));
    double const spans = static_cast<double>(options.nodes) * minutes_between;
    std::printf("%8u %19.1f %15.0f %11.0f\n", minute + minutes_between,
                static_cast<double>(world.traffic().sent - before.sent) / spans,
                static_cast<double>(world.traffic().bytes - before.bytes) / spans,
                world.mean_table_size());
  }
  return 0;
}

void add_world_options(CLI::App& app, Options& options) {
  app.add_option("--seed", options.seeds, "Seeds, one run each");
  app.add_option("--latency", options.latency, "What the median is of: rtt, one-way or both")
      ->check(CLI::IsMember({"rtt", "one-way", "both"}));
  app.add_option("--median-ms", options.median_ms, "Median latency");
  app.add_option("--sigma", options.sigma, "Standard deviation of ln(latency)");
  app.add_option("--loss", options.loss_percent, "Datagrams lost, %");
  app.add_option("--duplication", options.duplication_percent, "Datagrams that arrive twice, %");
  app.add_option("--reordering", options.reordering_percent, "Datagrams overtaken, %");
  app.add_option("--dead", options.dead_percent, "Routing entries whose node has gone, %");
  app.add_option("--nat", options.nat_percent, "Nodes behind NAT, %");
  app.add_option("--liars", options.liars_percent, "Reachable nodes that lie, %");
  app.add_option("--lifetime", options.lifetime_min, "Mean lifetime of a node, min; 0 = no churn");
  app.add_option("--gets", options.gets, "Gets");
  app.add_option("--puts", options.puts, "Puts");
  app.add_option("--interval-ms", options.interval_ms, "Between two commands of the network");
  app.add_option("--bucket-max", options.bucket_max, "At most so many nodes a bucket; 0 = full");
  app.add_option("--svg", options.svg, "Write the charts into this directory");
}

}  // namespace

int simulate(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // long runs are watched through pipes and files
  Options options;
  CLI::App app("Simulates networks of dotkey's DHT nodes on virtual time", "dotkey-sim");
  app.require_subcommand(1);
  auto* const run_command = app.add_subcommand("run", "Puts and gets in one network a seed");
  auto* const scale_command = app.add_subcommand("scale", "The same from 100 to 100,000 nodes");
  auto* const churn_command = app.add_subcommand("churn", "Success over time while nodes leave");
  auto* const idle_command = app.add_subcommand("idle", "Traffic of a network left alone");
  for (auto* const command : {run_command, scale_command, churn_command, idle_command}) {
    add_world_options(*command, options);
  }
  for (auto* const command : {run_command, churn_command, idle_command}) {
    command->add_option("--nodes", options.nodes, "Size of the network");
  }
  run_command->add_flag("--stop-at-first", options.stop_at_first, "Gets end at the first value");
  scale_command->add_option("--nodes-max", options.nodes_max, "Size of the largest network");
  for (auto* const command : {run_command, idle_command}) {
    command->add_flag("--grown", options.grown, "Nodes join by bootstrap (2,000 at most)");
  }
  idle_command->add_option("--minutes", options.minutes, "How long");
  CLI11_PARSE(app, argc, argv);
  if (options.grown && options.liars_percent > 0) {
    std::fprintf(stderr, "--grown has no liars: they have no way to join\n");
    return 2;
  }
  if (*scale_command) return scale(options);
  if (*churn_command) return churn(options);
  if (*idle_command) return idle(options);
  return run(options);
}

}  // namespace dotkey::sim

int main(int argc, char** argv) {
  return dotkey::sim::simulate(argc, argv);
}
