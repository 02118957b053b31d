// SPDX-License-Identifier: Apache-2.0
// dotkey testnet: a DHT of its own on loopback, for trying things out and for tests.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include <boost/json/object.hpp>

#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/cli/testnet.h"
#include "host/cli/version.h"
#include "host/loop/clock.h"
#include "host/loop/file_limit.h"
#include "host/loop/foreground.h"
#include "host/loop/node_driver.h"
#include "host/relay/relay.h"

namespace dotkey::host::cli {
namespace {

using base::ErrorCode;
using engine::Duration;
using loop::NodeDriver;

// Gone with everything in it when this object goes.
class TemporaryDirectory {
 public:
  TemporaryDirectory() = default;
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(TemporaryDirectory const&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory const&) = delete;

  // Errors: file_unwritable.
  base::Result<std::string> make() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "dotkey-XXXXXX").string();
    if (error || ::mkdtemp(name.data()) == nullptr) {
      return base::fail(ErrorCode::file_unwritable, name);
    }
    path_ = name;
    return name;
  }

 private:
  std::string path_;
};

class Testnet {
 public:
  Testnet(Program& program, TestnetArguments const& arguments)
      : program_(program), arguments_(arguments) {}

  base::Result<void> run();

 private:
  [[nodiscard]] base::IpAddress address_of(std::uint32_t index) const;
  base::Result<void> add_node(std::uint32_t index);
  base::Result<void> grow(engine::Instant deadline);
  // Knows all others, or enough of them for its lookups.
  [[nodiscard]] bool is_ready(NodeDriver const& driver, std::size_t others) const;
  base::Result<void> wait_until(std::function<bool()> const& settled, engine::Instant deadline);
  void let_first_lookups_end();
  base::Result<void> open_relay();

  Program& program_;
  TestnetArguments const& arguments_;
  loop::Foreground foreground_;
  std::vector<std::unique_ptr<NodeDriver>> drivers_;
  TemporaryDirectory relay_files_;
  std::unique_ptr<relay::Relay> relay_;
};

bool Testnet::is_ready(NodeDriver const& driver, std::size_t others) const {
  dht::Status const status = driver.node().status();
  if (driver.node().is_bootstrapped() && (!arguments_.ipv6 || status.nodes_v6 > 0)) return true;
  return status.nodes_v4 >= others && (!arguments_.ipv6 || status.nodes_v6 >= others);
}

// Looks every few milliseconds, not after every datagram of a thousand nodes.
base::Result<void> Testnet::wait_until(std::function<bool()> const& settled,
                                       engine::Instant deadline) {
  while (!settled()) {
    auto const end =
        foreground_.run_until([] { return false; }, loop::now() + Duration::from_ms(5));
    if (end == loop::Foreground::End::interrupted) return base::fail(ErrorCode::cancelled);
    if (loop::now() >= deadline) {
      return base::fail(ErrorCode::network_timeout, "the nodes did not find each other");
    }
  }
  return {};
}

base::IpAddress Testnet::address_of(std::uint32_t index) const {
  auto const last = static_cast<std::uint8_t>(arguments_.spread ? 1 + index % 254 : 1);
  return base::IpAddress::v4({127, 0, 0, last});
}

base::Result<void> Testnet::add_node(std::uint32_t index) {
  std::uint16_t const port = arguments_.port_base == 0
                                 ? std::uint16_t{0}
                                 : static_cast<std::uint16_t>(arguments_.port_base + index);
  loop::NodeDriverSettings settings;
  settings.node.mode = dht::Mode::server;
  settings.node.allow_local_network = true;
  // Everybody has the same address here.
  settings.node.queries_per_source_s = 1'000'000;
  settings.node.queries_per_source_burst = 1'000'000;
  settings.local_v4 = base::Endpoint{address_of(index), port};
  if (arguments_.ipv6) {
    settings.local_v6 = base::Endpoint{*base::IpAddress::parse("::1"), port};
  }
  auto driver = NodeDriver::open(foreground_.loop(), program_.entropy, std::move(settings));
  if (!driver) return tl::make_unexpected(driver.error());
  drivers_.push_back(std::move(*driver));
  return {};
}

base::Result<void> Testnet::grow(engine::Instant deadline) {
  // In waves, each as large as what is there: a network that doubles, as real ones grew.
  std::uint32_t const wave_max = 64;
  while (drivers_.size() < arguments_.nodes) {
    auto const first_new = drivers_.size();
    auto const there = static_cast<std::uint32_t>(first_new);
    std::uint32_t const wave = std::min({std::max(there, 1U), wave_max, arguments_.nodes - there});
    for (std::uint32_t i = 0; i < wave; ++i) {
      if (auto added = add_node(there + i); !added) return added;
      std::vector<base::Endpoint> bootstrap;
      for (int n = 0; n < 8 && there > 0; ++n) {
        std::uint32_t const number = program_.entropy.below(there);
        NodeDriver const& known = *drivers_[number];
        bootstrap.push_back({address_of(number), known.port_v4()});
        if (arguments_.ipv6) bootstrap.push_back({*base::IpAddress::parse("::1"), known.port_v6()});
      }
      if (!bootstrap.empty()) drivers_.back()->add_bootstrap_nodes(bootstrap);
    }
    auto const settled = [&] {
      return std::all_of(drivers_.begin() + static_cast<std::ptrdiff_t>(first_new), drivers_.end(),
                         [&](auto const& driver) { return is_ready(*driver, first_new); });
    };
    if (auto waited = wait_until(settled, deadline); !waited) return waited;
  }
  return {};
}

// Tables go on filling while the first lookups run; a second is plenty for those on loopback.
void Testnet::let_first_lookups_end() {
  auto const idle = [this] {
    return std::all_of(drivers_.begin(), drivers_.end(),
                       [](auto const& driver) { return driver->node().status().operations == 0; });
  };
  static_cast<void>(wait_until(idle, loop::now() + Duration::from_s(1)));
}

// A relay as others run them, but without limits: tests come from one address.
base::Result<void> Testnet::open_relay() {
  auto const directory = relay_files_.make();
  if (!directory) return tl::make_unexpected(directory.error());
  base::IpAddress const loopback = base::IpAddress::v4({127, 0, 0, 1});
  relay::RelaySettings settings;
  settings.http.listen = {loopback, arguments_.relay_port};
  settings.http.connections_per_client_max = settings.http.connections_max;
  settings.quotas = {std::nullopt, std::nullopt};
  settings.database = *directory + "/packets.sqlite";
  settings.version = version_number;
  settings.node.emplace();
  settings.node->node.mode = dht::Mode::client;
  settings.node->node.allow_local_network = true;
  settings.node->local_v4 = base::Endpoint{loopback, 0};
  settings.node->bootstrap = {"127.0.0.1:" + std::to_string(drivers_.front()->port_v4())};
  auto opened = relay::Relay::open(foreground_.loop(), program_.entropy, std::move(settings));
  if (!opened) return tl::make_unexpected(opened.error());
  relay_ = std::move(*opened);
  auto const settled = [this] { return is_ready(*relay_->driver(), drivers_.size()); };
  // Its table need not be full for the first lookup to work.
  static_cast<void>(wait_until(settled, loop::now() + Duration::from_s(2)));
  return {};
}

base::Result<void> Testnet::run() {
  loop::raise_file_limit();
  if (auto grown = grow(program_.options.deadline_from(loop::now())); !grown) return grown;
  let_first_lookups_end();
  if (auto opened = open_relay(); !opened) return opened;
  std::string const bootstrap = "127.0.0.1:" + std::to_string(drivers_.front()->port_v4());
  boost::json::object line = {
      {"bootstrap", bootstrap},
      {"relay", "http://127.0.0.1:" + std::to_string(relay_->port())},
  };
  if (arguments_.ipv6) {
    line["bootstrap_v6"] = "[::1]:" + std::to_string(drivers_.front()->port_v6());
  }
  print_json(line);
  foreground_.run_until_interrupted();
  return {};
}

}  // namespace

base::Result<void> run_testnet(Program& program, TestnetArguments const& arguments) {
  return Testnet(program, arguments).run();
}

void add_testnet_command(CLI::App& app, Program& program) {
  CLI::App* const testnet = app.add_subcommand(
      "testnet", "Run a DHT of its own with a relay on loopback until Ctrl-C; prints where");
  auto const arguments = std::make_shared<TestnetArguments>();
  testnet->add_option("--nodes", arguments->nodes, "How many nodes")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  testnet
      ->add_option("--port-base", arguments->port_base,
                   "First of consecutive UDP ports (default: free ones)")
      ->check(CLI::Range(1, 65535));
  testnet
      ->add_option("--relay-port", arguments->relay_port,
                   "The relay's TCP port (default: a free one)")
      ->check(CLI::Range(1, 65535));
  testnet->add_flag("--ipv6", arguments->ipv6, "On ::1 too");
  testnet->add_flag("--spread", arguments->spread,
                    "Nodes on 127.0.0.1, 127.0.0.2 and so on, as votes about addresses need");
  testnet->footer("Example:\n  dotkey testnet --nodes 50");
  testnet->callback([&program, arguments] {
    if (arguments->port_base != 0 && arguments->port_base + arguments->nodes > 65536) {
      throw CLI::ValidationError("--port-base", "not enough ports above it for --nodes");
    }
    program.action = [&program, arguments] { return run_testnet(program, *arguments); };
  });
}

}  // namespace dotkey::host::cli
