// SPDX-License-Identifier: Apache-2.0
// dotkey status: how the daemon fares.
#include <boost/json/object.hpp>

#include "host/cli/access.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/cli/status_output.h"
#include "host/loop/clock.h"

namespace dotkey::host::cli {
namespace {

base::Result<void> show_status(Program& program) {
  auto const daemon = Access::open_daemon(program);
  if (!daemon) return tl::make_unexpected(daemon.error());
  auto const status = (*daemon)->ask("status", {});
  if (!status) return tl::make_unexpected(status.error());
  if (program.options.json) {
    print_json(*status);
  } else {
    print_status(*status, loop::unix_now());
  }
  return {};
}

}  // namespace

void add_status_command(CLI::App& app, Program& program) {
  CLI::App* const status = app.add_subcommand("status", "Show how the daemon fares");
  status->footer("Example:\n  dotkey status --json");
  status->callback([&program] { program.action = [&program] { return show_status(program); }; });
}

}  // namespace dotkey::host::cli
