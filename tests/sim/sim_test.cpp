// SPDX-License-Identifier: Apache-2.0
// Small networks, each fault at a time and many at once. A failure prints the seed that repeats it.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "core/dht/node_id.h"

#include "tests/sim/scenario.h"

namespace dotkey::sim {
namespace {

// The sanitizers make everything ten times slower.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DOTKEY_SIM_IS_SLOW 1
#endif
#endif
#ifdef DOTKEY_SIM_IS_SLOW
constexpr std::uint32_t nodes = 150;
constexpr std::uint32_t commands = 25;
constexpr std::uint32_t nodes_grown = 40;
constexpr std::uint64_t swarm_seeds = 4;
#else
constexpr std::uint32_t nodes = 1000;
constexpr std::uint32_t commands = 100;
constexpr std::uint32_t nodes_grown = 200;
constexpr std::uint64_t swarm_seeds = 12;
#endif

Scenario small_scenario(std::uint64_t seed) {
  Scenario out;
  out.world.nodes = nodes;
  out.world.seed = seed;
  out.world.events_max = 20'000'000;
  out.puts = commands;
  out.gets = commands;
  return out;
}

// What must hold whatever goes wrong.
void expect_safe(ScenarioResult const& result) {
  EXPECT_EQ(result.wrong(), 0U);
  EXPECT_EQ(result.unfinished(), 0U);
  EXPECT_FALSE(result.reached_events_max);
}

ScenarioResult run(Scenario const& scenario) {
  SCOPED_TRACE("seed " + std::to_string(scenario.world.seed) + ", " +
               describe(scenario.world.faults));
  auto result = run_scenario(scenario);
  expect_safe(result);
  return result;
}

TEST(simulation, the_same_seed_gives_the_same_trace_and_another_seed_another) {
  auto scenario = small_scenario(7);
  scenario.world.faults = {.loss = 0.03,
                           .duplication = 0.02,
                           .reordering = 0.05,
                           .nat = 0.25,
                           .dead = 0.2,
                           .liars = 0.05,
                           .lies = lies_all,
                           .mean_lifetime = Duration::from_s(1200)};
  auto const once = run(scenario);
  auto const again = run(scenario);
  EXPECT_EQ(once.trace, again.trace);
  EXPECT_EQ(once.events, again.events);
  EXPECT_GT(once.traffic.delivered, 1000U);
  scenario.world.seed = 8;
  EXPECT_NE(once.trace, run(scenario).trace);
}

TEST(simulation, a_network_without_faults_finds_every_value) {
  auto const result = run(small_scenario(1));
  EXPECT_EQ(result.found_share(), 1.0);
  EXPECT_GE(result.put_coverage().mean(), 19.0);
}

TEST(simulation, loss_hides_no_value) {
  auto scenario = small_scenario(2);
  scenario.world.faults.loss = 0.10;
  EXPECT_GE(run(scenario).found_share(), 0.99);
}

TEST(simulation, datagrams_that_come_twice_or_late_do_no_harm) {
  auto scenario = small_scenario(3);
  scenario.world.faults.duplication = 0.3;
  scenario.world.faults.reordering = 0.3;
  auto const result = run(scenario);
  EXPECT_EQ(result.found_share(), 1.0);
  EXPECT_GT(result.traffic.duplicated, 100U);
}

TEST(simulation, nodes_behind_nat_find_and_publish) {
  auto scenario = small_scenario(4);
  scenario.world.faults.nat = 0.5;
  auto const result = run(scenario);
  EXPECT_EQ(result.found_share(), 1.0);
  EXPECT_GE(result.put_coverage().mean(), 18.0);
}

TEST(simulation, dead_routing_entries_cost_no_value) {
  auto scenario = small_scenario(5);
  scenario.world.faults.dead = 0.3;
  auto const result = run(scenario);
  EXPECT_GE(result.found_share(), 0.99);
  EXPECT_GT(result.traffic.to_nobody, 100U);
}

TEST(simulation, values_outlive_nodes_that_come_and_go) {
  auto scenario = small_scenario(6);
  scenario.world.faults.mean_lifetime = Duration::from_s(600);
  EXPECT_GE(run(scenario).found_share(), 0.98);
}

class one_lie : public testing::TestWithParam<std::uint32_t> {};

TEST_P(one_lie, by_a_tenth_of_the_nodes_is_never_believed) {
  auto scenario = small_scenario(10 + GetParam());
  scenario.world.faults.liars = 0.10;
  scenario.world.faults.lies = 1U << GetParam();
  auto const result = run(scenario);
  EXPECT_GE(result.found_share(), 0.99);
  EXPECT_EQ(result.stale(), 0U);
}

INSTANTIATE_TEST_SUITE_P(simulation, one_lie, testing::Range(0U, lies_count));

TEST(simulation, many_faults_at_once_stay_safe_and_mostly_succeed) {
  for (std::uint64_t seed = 100; seed < 100 + swarm_seeds; ++seed) {
    auto scenario = small_scenario(seed);
    scenario.puts = scenario.gets = commands / 4 + 5;
    scenario.world.faults = swarm_faults(seed);
    SCOPED_TRACE(seed);
    EXPECT_GE(run(scenario).found_share(), 0.9);
  }
}

TEST(simulation, a_network_grown_from_eight_bootstrap_nodes_finds_every_value) {
  auto scenario = small_scenario(9);
  scenario.world.nodes = nodes_grown;
  scenario.world.grown = true;
  scenario.world.faults.nat = 0.25;
  scenario.puts = scenario.gets = 25;
  auto const result = run(scenario);
  EXPECT_EQ(result.found_share(), 1.0);
  EXPECT_GE(result.put_coverage().mean(), 18.0);
}

TEST(latency_model, gives_the_median_and_spread_asked_for) {
  LatencyModel model;
  model.one_way_median = Duration::from_ms(80);
  test::SeededEntropy random(1);
  Distribution logarithms;
  Distribution ms;
  for (std::uint64_t pair = 0; pair < 20'000; ++pair) {
    double const a = LatencyModel::draw_position(random);
    double const b = LatencyModel::draw_position(random);
    ms.add(static_cast<double>(model.draw(a, b, pair, random).us) / 1000);
  }
  for (double const value : ms.sorted()) logarithms.add(std::log(value));
  EXPECT_NEAR(ms.median(), 80.0, 1.5);
  // One standard deviation either side of the median holds 68 %.
  EXPECT_NEAR(logarithms.quantile(0.841) - logarithms.median(), 0.5, 0.02);
  EXPECT_NEAR(logarithms.median() - logarithms.quantile(0.159), 0.5, 0.02);
}

TEST(census, names_the_same_closest_nodes_as_a_full_sort) {
  test::SeededEntropy random(1);
  Census census;
  std::vector<NodeId> all;
  for (std::uint32_t i = 0; i < 500; ++i) {
    all.push_back(dht::random_id(random));
    census.add_unsorted({{all.back(), {}}, i});
  }
  census.sort();
  for (int round = 0; round < 50; ++round) {
    NodeId const target = dht::random_id(random);
    std::sort(all.begin(), all.end(),
              [&](NodeId const& a, NodeId const& b) { return dht::is_closer(target, a, b); });
    auto const closest = census.closest(target, 20);
    ASSERT_EQ(closest.size(), 20U);
    for (std::size_t i = 0; i < closest.size(); ++i) EXPECT_EQ(closest[i].info.id, all[i]);
  }
}

TEST(census, draws_tables_of_distinct_nodes_without_the_owner) {
  test::SeededEntropy random(2);
  Census census;
  for (std::uint32_t i = 0; i < 500; ++i) {
    census.add_unsorted({{dht::random_id(random), {}}, i});
  }
  census.sort();
  NodeId const own = census.at(123).info.id;
  auto const table = census.draw_table(own, 1000, random);
  std::set<NodeId> distinct;
  for (NodeInfo const& node : table) distinct.insert(node.id);
  EXPECT_EQ(distinct.size(), table.size());
  EXPECT_FALSE(distinct.contains(own));
  // The nearest are all in it.
  for (Resident const& near : census.closest(own, 10)) {
    EXPECT_TRUE(near.info.id == own || distinct.contains(near.info.id));
  }
}

}  // namespace
}  // namespace dotkey::sim
