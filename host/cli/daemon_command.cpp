// SPDX-License-Identifier: Apache-2.0
// dotkey daemon: everything long-lived, in the foreground.
#include <csignal>
#include <memory>
#include <utility>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <unistd.h>

#include "host/channel/socket_path.h"
#include "host/cli/daemon_start.h"
#include "host/cli/dns_serving.h"
#include "host/cli/node_settings.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/daemon/daemon.h"
#include "host/loop/file_limit.h"
#include "host/loop/foreground.h"
#include "host/native/daemon_launch.h"
#include "host/native/start_log.h"

namespace dotkey::host::cli {
namespace {

constexpr std::chrono::minutes log_interval{1};

void look_after_log(boost::asio::steady_timer& timer, std::string const& path) {
  native::rotate_own_log(path);
  timer.expires_after(log_interval);
  timer.async_wait([&timer, path](boost::system::error_code const& error) {
    if (!error) look_after_log(timer, path);
  });
}

// SIGHUP: what is wrong with the file is said, and the old settings stay.
base::Result<void> reload(Program const& program, daemon::Daemon& daemon) {
  daemon.reload_trust();
  daemon.reload_permissions();
  Options options = program.named_options;
  store::Paths paths = program.paths;
  if (auto complete = complete_options(options, paths); !complete) return complete;
  for (std::string_view const name : start_options_changed(program.options, options)) {
    print_notice(std::string(name) + " has changed; that takes effect at the next start.");
  }
  return daemon.reload(changeable_settings(options));
}

void reload_at_hangup(boost::asio::signal_set& signals, Program const& program,
                      daemon::Daemon& daemon) {
  signals.async_wait([&](boost::system::error_code const& error, int) {
    if (error) return;
    if (auto const done = reload(program, daemon); !done) print_error(done.error());
    reload_at_hangup(signals, program, daemon);
  });
}

// A taken port stops the DNS server, not the rest.
DnsServing open_dns(Program const& program, boost::asio::io_context& loop, daemon::Daemon& daemon,
                    cache::Settings const& cache) {
  if (!program.options.dns.has_listen()) return {};
  auto serving = serve_dns(loop, daemon.services(), program.options, cache);
  if (serving) return std::move(*serving);
  print_error(serving.error());
  return {};
}

base::Result<void> run_daemon(Program& program) {
  loop::raise_file_limit();
  loop::Foreground foreground;
  daemon::CoreSettings const settings = core_settings(program, Purpose::daemon);
  cache::Settings const cache = settings.driver.api.cache;
  auto const daemon =
      daemon::Daemon::open(foreground.loop(), program.entropy, program.paths, settings,
                           {program.paths.state_dir, native::own_program(), 0});
  if (!daemon) return tl::make_unexpected(daemon.error());
  boost::asio::signal_set hangup(foreground.loop(), SIGHUP);
  reload_at_hangup(hangup, program, **daemon);
  boost::asio::steady_timer log_timer(foreground.loop());
  look_after_log(log_timer, native::log_path_in(program.paths.state_dir));
  DnsServing const dns = open_dns(program, foreground.loop(), **daemon, cache);
  std::string const& socket = (*daemon)->socket_path();
  if (program.options.json) {
    boost::json::object out{{"socket", socket}};
    if (dns.server) add_addresses(out, dns);
    print_json(out);
  } else {
    print_line("Listening on " + socket + "; Ctrl-C ends it.");
  }
  foreground.run_until_interrupted();
  return {};
}

// As browsers start it, and as soon as it serves.
base::Result<void> start_in_background(Program const& program) {
  auto const connection = native::connect_or_start(launch_settings(program));
  if (!connection) return base::Failure(connection.error());
  pid_t const daemon = channel::peer_process(*connection).value_or(0);
  ::close(*connection);
  if (program.options.json) {
    print_json({{"pid", daemon}});
  } else {
    print_line("The daemon runs as process " + std::to_string(daemon) + ".");
  }
  return {};
}

}  // namespace

void add_daemon_command(CLI::App& app, Program& program) {
  CLI::App* const daemon = app.add_subcommand(
      "daemon", "Serve this user's programs: resolve, publish, and keep records alive");
  auto const in_background = std::make_shared<bool>(false);
  daemon->add_flag("--background", *in_background,
                   "Return once it serves; nothing happens where one runs already");
  daemon->footer("Examples:\n  dotkey daemon\n  dotkey daemon --background");
  daemon->callback([&program, in_background] {
    program.action = [&program, in_background] {
      return *in_background ? start_in_background(program) : run_daemon(program);
    };
  });
}

}  // namespace dotkey::host::cli
