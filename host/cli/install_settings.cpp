// SPDX-License-Identifier: Apache-2.0
#include "host/cli/install_settings.h"

#include <cstdlib>

#include "host/channel/socket_path.h"
#include "host/native/daemon_launch.h"

namespace dotkey::host::cli {
namespace {

std::string variable_or(char const* name, std::string fallback) {
  char const* const value = std::getenv(name);
  return value != nullptr && value[0] == '/' ? value : fallback;
}

}  // namespace

base::Result<void> complete_install_settings(install::Settings& settings, Program const& program) {
  auto user = trust::UserDirectories::current();
  if (!user) return base::fail(base::ErrorCode::file_unreadable, "no home directory is known");
  settings.trust_user = std::move(*user);
  settings.user.home = settings.trust_user.home;
  settings.user.config_home = variable_or("XDG_CONFIG_HOME", settings.user.home + "/.config");
  settings.state_dir = program.paths.state_dir;
  settings.program = native::own_program();
  native::find_runtime_directory();
  settings.sockets = channel::socket_paths(program.paths);
  char const* const path = std::getenv("PATH");
  settings.search_path = path == nullptr ? "/usr/bin:/bin" : path;
  return {};
}

}  // namespace dotkey::host::cli
