// SPDX-License-Identifier: Apache-2.0
// dotkey native-host: what browsers start. It carries messages between the browser and the daemon.
#include <csignal>
#include <string>

#include <unistd.h>

#include "host/channel/message.h"
#include "host/cli/daemon_start.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/native/daemon_launch.h"
#include "host/native/first_frame.h"
#include "host/native/frame_pipe.h"

namespace dotkey::host::cli {
namespace {

// The extension's first request gets the error as its answer: a browser shows nobody our stderr.
void answer_with(base::Error const& error) {
  print_error(error);
  std::uint64_t const id = native::read_first_id(STDIN_FILENO);
  if (id != 0) {
    native::write_frame(STDOUT_FILENO,
                        channel::encode_message(id, "error", channel::describe_error(error)));
  }
}

base::Result<void> run_native_host(Program const& program) {
  std::signal(SIGPIPE, SIG_IGN);
  native::LaunchSettings settings = launch_settings(program);
  settings.watched_fd = STDIN_FILENO;
  auto const daemon = native::connect_or_start(settings);
  if (!daemon) return base::Failure(daemon.error());
  auto const end = native::carry_frames({STDIN_FILENO, STDOUT_FILENO, *daemon});
  ::close(*daemon);
  if (end != native::PipeEnd::browser_frame_oversized &&
      end != native::PipeEnd::daemon_frame_oversized) {
    return {};
  }
  return base::fail(base::ErrorCode::native_frame_oversized);
}

}  // namespace

void add_native_host_command(CLI::App& app, Program& program) {
  CLI::App* const command =
      app.add_subcommand("native-host", "Connect a browser with the daemon; browsers start this");
  // The extension's origin, or the manifest and the extension: the manifest has admitted them.
  command->allow_extras();
  command->callback([&program] {
    native::find_runtime_directory();
    program.report = &answer_with;
    program.action = [&program] { return run_native_host(program); };
  });
}

}  // namespace dotkey::host::cli
