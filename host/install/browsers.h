// SPDX-License-Identifier: Apache-2.0
// The browsers that dotkey knows, and where each looks for native-messaging hosts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dotkey::host::install {

enum class BrowserKind : std::uint8_t { chromium, firefox };

struct Browser {
  std::string name;
  BrowserKind kind;
  // A directory that the browser makes when it first runs.
  std::string own_directory;
  std::string user_manifests;
  std::string system_manifests;  // empty: none is known
  std::vector<std::string> programs;
};

// The user's own directories; a test names others.
struct Directories {
  std::string home;
  std::string config_home;  // $XDG_CONFIG_HOME, else ~/.config
};

std::vector<Browser> known_browsers(Directories const& user);
// It has run for this user, or its program is in one of `search_path`, colon-separated.
bool is_present(Browser const& browser, std::string_view search_path);

// A Chromium from a snap or flatpak in this home directory: it cannot start programs of the system,
// so dotkey cannot serve it.
std::vector<std::string> confined_browsers(Directories const& user);

}  // namespace dotkey::host::install
