// SPDX-License-Identifier: Apache-2.0
#include "host/page/host_lookups.h"

#include <gtest/gtest.h>

namespace dotkey::host::page {
namespace {

// Name servers that answer when the test says so, or never.
class HostLookupsTest : public testing::Test {
 protected:
  bool ask(std::vector<std::string> const& names) {
    return lookups_.start(names, [this](HostLookups::Outcomes const& outcomes) {
      answered_.push_back(outcomes.size());
    });
  }
  void answer(std::size_t index) {
    auto const on_done = begun_.at(index).second;
    on_done({std::vector<base::Endpoint>{}});
  }

  std::vector<std::pair<std::string, HostLookups::OnDone>> begun_;
  std::vector<std::size_t> answered_;
  HostLookups lookups_{[this](std::string const& name, HostLookups::OnDone on_done) {
    begun_.emplace_back(name, std::move(on_done));
  }};
};

TEST_F(HostLookupsTest, silent_name_servers_hold_a_bounded_number_of_threads_and_callers) {
  for (std::size_t i = 0; i < lookups_awaited_max; ++i) {
    EXPECT_TRUE(ask({"www" + std::to_string(i) + ".example:443"}));
  }
  EXPECT_EQ(begun_.size(), lookups_running_max);
  EXPECT_FALSE(ask({"one.more.example:443"}));
  answer(0);
  EXPECT_EQ(answered_.size(), 1U);
  EXPECT_EQ(begun_.size(), lookups_running_max + 1);
  EXPECT_TRUE(ask({"one.more.example:443"}));
}

TEST_F(HostLookupsTest, one_name_is_looked_up_once_for_all_who_ask) {
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(ask({"www.example:443"}));
  ASSERT_EQ(begun_.size(), 1U);
  answer(0);
  EXPECT_EQ(answered_.size(), 100U);
  EXPECT_TRUE(ask({"www.example:443"}));
  EXPECT_EQ(begun_.size(), 2U);
}

TEST_F(HostLookupsTest, a_caller_of_many_names_waits_for_the_last) {
  EXPECT_TRUE(ask({"a.example:443", "b.example:443", "a.example:443"}));
  ASSERT_EQ(begun_.size(), 2U);
  answer(1);
  EXPECT_TRUE(answered_.empty());
  answer(0);
  EXPECT_EQ(answered_, std::vector<std::size_t>{3});
}

TEST(host_lookups, the_systems_resolver_answers) {
  boost::asio::io_context loop;
  HostLookups lookups(loop);
  HostLookups::Outcomes found;
  ASSERT_TRUE(lookups.start({"127.0.0.1:443", "localhost:80"},
                            [&](auto const& outcomes) { found = outcomes; }));
  auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (found.empty() && std::chrono::steady_clock::now() < until) {
    loop.restart();
    loop.run_one_for(std::chrono::milliseconds(10));
  }
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].value().at(0).to_string(), "127.0.0.1:443");
  EXPECT_TRUE(found[1]);
}

}  // namespace
}  // namespace dotkey::host::page
