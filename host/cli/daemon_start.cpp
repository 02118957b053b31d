// SPDX-License-Identifier: Apache-2.0
#include "host/cli/daemon_start.h"

#include <csignal>

#include <unistd.h>

#include "host/channel/channel.h"
#include "host/channel/socket_path.h"
#include "host/native/start_log.h"

namespace dotkey::host::cli {

native::LaunchSettings launch_settings(Program const& program) {
  Options const& options = program.options;
  native::LaunchSettings settings;
  settings.socket_paths = channel::socket_paths(program.paths);
  settings.log_path = native::log_path_in(program.paths.state_dir);
  std::vector<std::string>& command = settings.command;
  command = {native::own_program(), "daemon", "--state-dir", program.paths.state_dir};
  auto const add = [&](char const* option, std::string const& value) {
    command.insert(command.end(), {option, value});
  };
  if (!options.config_file.empty()) add("--config", options.config_file);
  if (options.named.bootstrap) {
    for (std::string const& node : options.bootstrap) add("--bootstrap", node);
  }
  if (options.named.relays) {
    for (std::string const& relay : options.relays) add("--relay", relay);
  }
  if (options.named.no_dht) command.emplace_back("--no-dht");
  return settings;
}

void tell_daemon_to_reload(Program const& program) {
  int const fd = channel::connect_to_daemon(channel::socket_paths(program.paths));
  if (fd < 0) return;
  if (auto const daemon = channel::peer_process(fd)) ::kill(*daemon, SIGHUP);
  ::close(fd);
}

}  // namespace dotkey::host::cli
