// SPDX-License-Identifier: Apache-2.0
// dotkey use-relay URL: writes a relay into the configuration, and lets the daemon know.
#include <algorithm>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "core/relay/client.h"

#include "host/cli/config.h"
#include "host/cli/daemon_start.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/store/atomic_file.h"

namespace dotkey::host::cli {
namespace {

constexpr std::size_t config_size_max = 64 * 1024;

// A line before all tables; what the person wrote stays as it is. Errors: config_malformed where
// the file has a list of relays of its own.
base::Result<void> add_relay(std::string const& file, std::string const& url) {
  std::string text;
  if (store::exists(file)) {
    auto const present = store::read_file(file, config_size_max);
    if (!present) return base::Failure(present.error());
    text = base::text_of(*present);
  }
  // A JSON string is a TOML string.
  std::string const line = "relays = [" + boost::json::serialize(boost::json::string(url)) + "]\n";
  if (auto const parsed = parse_config(file, line + text); !parsed) {
    return base::fail(parsed.error().code,
                      parsed.error().detail + "; add " + url + " to the list of relays by hand");
  }
  std::string const directory = file.substr(0, file.rfind('/'));
  if (auto made = store::create_private_directory(directory); !made) return made;
  return store::write_file(file, base::view_of(line + text), 0600, store::Existing::replace);
}

base::Result<void> use_relay(Program const& program, std::string const& url) {
  auto const parsed = relay::parse_relay_url(url);
  if (!parsed) return base::Failure(parsed.error());
  std::string const& file =
      program.options.config_file.empty() ? program.paths.config_file : program.options.config_file;
  auto const config = load_config(program.options.config_file, program.paths.config_file);
  if (!config) return base::Failure(config.error());
  std::vector<std::string> relays = config->relays;
  if (std::find(relays.begin(), relays.end(), url) == relays.end()) {
    if (auto added = add_relay(file, url); !added) return added;
    relays.push_back(url);
    tell_daemon_to_reload(program);
  }
  if (program.options.json) {
    print_json({{"relays", boost::json::array(relays.begin(), relays.end())}, {"config", file}});
  } else {
    print_line("Written to " + file + ".");
  }
  return {};
}

}  // namespace

void add_use_relay_command(CLI::App& app, Program& program) {
  CLI::App* const command = app.add_subcommand(
      "use-relay",
      "Ask a relay too, where the DHT cannot be reached; it sees which keys you ask for");
  auto const url = std::make_shared<std::string>();
  command->add_option("URL", *url, "The relay's address")->required();
  command->footer("Example:\n  dotkey use-relay https://pkarr.pubky.org");
  command->callback(
      [&program, url] { program.action = [&program, url] { return use_relay(program, *url); }; });
}

}  // namespace dotkey::host::cli
