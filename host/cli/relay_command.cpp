// SPDX-License-Identifier: Apache-2.0
// dotkey relay: the relay server alone, in the foreground.
#include <memory>

#include <boost/json/object.hpp>

#include "host/cli/node_settings.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/cli/testnet.h"
#include "host/cli/version.h"
#include "host/loop/file_limit.h"
#include "host/loop/foreground.h"
#include "host/relay/relay.h"
#include "host/store/dht_state.h"

namespace dotkey::host::cli {
namespace {

using base::ErrorCode;

constexpr std::uint16_t port_default = 6881;           // pkarr's
constexpr std::uint16_t testnet_port_default = 15411;  // pkarr's, too

struct RelayArguments {
  std::string listen = "0.0.0.0";
  std::optional<std::uint16_t> port;
  std::optional<std::uint16_t> dht_port;
  std::string database;
  std::uint32_t threads = 1;
  std::uint64_t packets_max = store::PacketStore::packets_max_default;
  std::string rate = "2r/s";
  std::uint32_t burst = 10;
  std::string dht_rate = "2r/s";
  std::uint32_t dht_burst = 10;
  std::uint32_t connections_per_client = 128;
  std::vector<std::string> proxies;
  bool testnet = false;
};

base::Result<std::optional<dotkey::relay::Quota>> parse_rate(std::string const& text,
                                                             std::uint32_t burst) {
  if (text == "off") return std::optional<dotkey::relay::Quota>();
  auto quota = dotkey::relay::parse_quota(text);
  if (!quota) return base::fail(ErrorCode::number_out_of_range, "a rate is such as 2r/s, or off");
  quota->burst = burst;
  return quota;
}

base::Result<relay::RelaySettings> relay_settings(Program const& program,
                                                  RelayArguments const& arguments,
                                                  std::string const& dht_state) {
  relay::RelaySettings out;
  auto const address = base::IpAddress::parse(arguments.listen);
  if (!address) return tl::make_unexpected(address.error());
  out.http.listen = {*address, arguments.port.value_or(port_default)};
  out.http.threads = arguments.threads;
  out.http.connections_per_client_max = arguments.connections_per_client;
  for (std::string const& text : arguments.proxies) {
    auto const proxy = base::IpAddress::parse(text);
    if (!proxy) return tl::make_unexpected(proxy.error());
    out.http.proxies.push_back(*proxy);
  }
  auto const quota = parse_rate(arguments.rate, arguments.burst);
  if (!quota) return tl::make_unexpected(quota.error());
  auto const dht_quota = parse_rate(arguments.dht_rate, arguments.dht_burst);
  if (!dht_quota) return tl::make_unexpected(dht_quota.error());
  out.quotas = {*quota, *dht_quota};
  out.packets_max = arguments.packets_max;
  out.version = version_number;
  out.database =
      arguments.database.empty() ? program.paths.state_dir + "/relay.sqlite" : arguments.database;
  if (!program.options.no_dht) {
    out.node = node_settings(program.options, dht_state);
    out.node->node.mode = dht::Mode::adaptive;
    if (out.node->local_v4) out.node->local_v4->port = arguments.dht_port.value_or(0);
    if (out.node->local_v6) out.node->local_v6->port = arguments.dht_port.value_or(0);
  }
  return out;
}

void print_start(Program const& program, RelayArguments const& arguments,
                 relay::Relay const& relay) {
  bool const v6 = arguments.listen.find(':') != std::string::npos;
  std::string const url = "http://" + (v6 ? "[" + arguments.listen + "]" : arguments.listen) + ":" +
                          std::to_string(relay.port());
  if (!program.options.json) return print_line("Relay on " + url + "; Ctrl-C ends it.");
  boost::json::object line = {{"relay", url}};
  if (relay.driver() != nullptr) line["dht_port"] = relay.driver()->port_v4();
  print_json(line);
}

base::Result<void> run_relay(Program& program, RelayArguments const& arguments) {
  loop::raise_file_limit();
  if (arguments.testnet) {
    TestnetArguments testnet;
    testnet.nodes = 10;
    testnet.relay_port = arguments.port.value_or(testnet_port_default);
    return run_testnet(program, testnet);
  }
  std::string const dht_state =
      store::dht_state_path(program.paths.state_dir, program.options.bootstrap);
  auto settings = relay_settings(program, arguments, dht_state);
  if (!settings) return tl::make_unexpected(settings.error());
  loop::Foreground foreground;
  auto const relay = relay::Relay::open(foreground.loop(), program.entropy, std::move(*settings));
  if (!relay) return tl::make_unexpected(relay.error());
  print_start(program, arguments, **relay);
  foreground.run_until_interrupted();
  if (auto const* const driver = (*relay)->driver()) {
    dht::Status const status = driver->node().status();
    if (status.nodes_v4 + status.nodes_v6 > 0) {
      static_cast<void>(store::save_dht_state(dht_state, driver->node().encode_state()));
    }
  }
  return {};
}

}  // namespace

void add_relay_command(CLI::App& app, Program& program) {
  CLI::App* const relay = app.add_subcommand(
      "relay", "Serve signed packets over HTTP to programs that cannot reach the DHT");
  auto const arguments = std::make_shared<RelayArguments>();
  relay->add_option("--listen", arguments->listen, "The address to serve on")
      ->capture_default_str();
  relay->add_option("--port", arguments->port, "The TCP port; 0 is a free one (default 6881)");
  relay->add_option("--dht-port", arguments->dht_port, "The UDP port (default: a free one)");
  relay->add_option("--database", arguments->database, "Default: STATE_DIR/relay.sqlite")
      ->type_name("FILE");
  relay->add_option("--packets-max", arguments->packets_max, "Packets kept on disk")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  relay
      ->add_option("--threads", arguments->threads,
                   "Threads that serve HTTP; each counts a client's requests for itself")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  relay->add_option("--rate", arguments->rate, "Requests of one client: 2r/s, 100r/m, or off")
      ->capture_default_str();
  relay->add_option("--burst", arguments->burst, "Requests of one client at once")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  relay->add_option("--dht-rate", arguments->dht_rate, "The same for those that reach the DHT")
      ->capture_default_str();
  relay->add_option("--dht-burst", arguments->dht_burst, "The same for those that reach the DHT")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  relay->add_option("--connections-per-client", arguments->connections_per_client)
      ->check(CLI::Range(1, 65'536))
      ->capture_default_str();
  relay
      ->add_option("--proxy", arguments->proxies,
                   "A reverse proxy whose X-Forwarded-For is believed, repeatable")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  relay->add_flag("--testnet", arguments->testnet,
                  "With a DHT of its own on loopback, at port 15411");
  relay->footer("Example:\n  dotkey relay --listen 127.0.0.1 --port 8080 --proxy 127.0.0.1");
  relay->callback([&program, arguments] {
    program.action = [&program, arguments] { return run_relay(program, *arguments); };
  });
}

}  // namespace dotkey::host::cli
