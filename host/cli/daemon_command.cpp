// SPDX-License-Identifier: Apache-2.0
// dotkey daemon: everything long-lived, in the foreground.
#include <csignal>

#include <boost/asio/signal_set.hpp>
#include <boost/json/object.hpp>

#include "host/cli/config.h"
#include "host/cli/node_settings.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/daemon/daemon.h"
#include "host/loop/foreground.h"
#include "host/native/daemon_launch.h"

namespace dotkey::host::cli {
namespace {

// SIGHUP: what is wrong with the file is said, and the old settings stay.
base::Result<void> reload(Program const& program, daemon::Daemon& daemon) {
  auto const config = load_config(program.options.config_file, program.paths.config_file);
  if (!config) return tl::make_unexpected(config.error());
  return daemon.reload(program.options.named.relays ? program.options.relays : config->relays);
}

void reload_at_hangup(boost::asio::signal_set& signals, Program const& program,
                      daemon::Daemon& daemon) {
  signals.async_wait([&](boost::system::error_code const& error, int) {
    if (error) return;
    if (auto const done = reload(program, daemon); !done) print_error(done.error());
    reload_at_hangup(signals, program, daemon);
  });
}

base::Result<void> run_daemon(Program& program) {
  loop::Foreground foreground;
  auto const daemon = daemon::Daemon::open(foreground.loop(), program.entropy, program.paths,
                                           core_settings(program, Purpose::daemon),
                                           {program.paths.state_dir, native::own_program(), 0});
  if (!daemon) return tl::make_unexpected(daemon.error());
  boost::asio::signal_set hangup(foreground.loop(), SIGHUP);
  reload_at_hangup(hangup, program, **daemon);
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
