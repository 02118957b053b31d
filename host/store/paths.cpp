// SPDX-License-Identifier: Apache-2.0
#include "host/store/paths.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <pwd.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/crypto/hash.h"

namespace dotkey::host::store {
namespace {

std::string absolute_variable(char const* name) {
  char const* const value = std::getenv(name);
  return value != nullptr && value[0] == '/' ? value : "";
}

// Programs that browsers and services start may have to do without $HOME.
std::string home_directory() {
  std::string const home = absolute_variable("HOME");
  if (!home.empty()) return home;
  passwd const* const entry = ::getpwuid(::geteuid());
  return entry != nullptr && entry->pw_dir != nullptr ? entry->pw_dir : "";
}

std::string base_directory(char const* variable, std::string const& home, char const* fallback) {
  std::string const value = absolute_variable(variable);
  if (!value.empty()) return value;
  return home.empty() ? "" : home + fallback;
}

}  // namespace

std::string network_path(std::string const& state_dir, std::string const& stem,
                         std::span<std::string const> bootstrap, std::string const& ending) {
  if (bootstrap.empty()) return state_dir + "/" + stem + ending;
  std::vector<std::string> names(bootstrap.begin(), bootstrap.end());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string joined;
  for (std::string const& name : names) joined += name + "\n";
  auto const hash = crypto::sha256({base::view_of(joined)});
  return state_dir + "/" + stem + "-" + base::encode_hex(base::ByteView(hash).first(8)) + ending;
}

base::Result<Paths> paths_from_environment() {
  std::string const home = home_directory();
  std::string const config = base_directory("XDG_CONFIG_HOME", home, "/.config");
  std::string const state = base_directory("XDG_STATE_HOME", home, "/.local/state");
  std::string const data = base_directory("XDG_DATA_HOME", home, "/.local/share");
  if (config.empty() || state.empty() || data.empty()) {
    return base::fail(base::ErrorCode::file_unreadable, "no home directory is known; set HOME");
  }
  return Paths{config + "/dotkey/config.toml", state + "/dotkey", data + "/dotkey/keys"};
}

}  // namespace dotkey::host::store
