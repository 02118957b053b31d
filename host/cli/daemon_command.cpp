// SPDX-License-Identifier: Apache-2.0
// dotkey daemon: everything long-lived, in the foreground.
#include <boost/json/object.hpp>

#include "host/cli/dht_session.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/cli/version.h"
#include "host/daemon/daemon.h"
#include "host/loop/foreground.h"
#include "host/store/dht_state.h"

namespace dotkey::host::cli {
namespace {

daemon::DaemonSettings daemon_settings(Program const& program) {
  daemon::DaemonSettings out;
  out.paths = program.paths;
  out.version = version_number;
  out.dht_state = store::dht_state_path(program.paths.state_dir, program.options.bootstrap);
  out.driver.packets = program.paths.state_dir + "/packets.sqlite";
  if (!program.options.no_dht) {
    out.driver.dht = node_settings(program.options, out.dht_state);
    out.driver.dht->node.mode = dht::Mode::adaptive;
  }
  return out;
}

base::Result<void> run_daemon(Program& program) {
  loop::Foreground foreground;
  auto const daemon =
      daemon::Daemon::open(foreground.loop(), program.entropy, daemon_settings(program));
  if (!daemon) return tl::make_unexpected(daemon.error());
  std::string const& socket = (*daemon)->socket_path();
  if (program.options.json) {
    print_json({{"socket", socket}});
  } else {
    print_line("Listening on " + socket + "; Ctrl-C ends it.");
  }
  foreground.run_until_interrupted();
  return {};
}

}  // namespace

void add_daemon_command(CLI::App& app, Program& program) {
  CLI::App* const daemon = app.add_subcommand(
      "daemon", "Serve this user's programs: resolve, publish, and keep records alive");
  daemon->footer("Example:\n  dotkey daemon");
  daemon->callback([&program] { program.action = [&program] { return run_daemon(program); }; });
}

}  // namespace dotkey::host::cli
