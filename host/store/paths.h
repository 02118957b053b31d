// SPDX-License-Identifier: Apache-2.0
// Where a user's files are: the XDG base directories.
#pragma once

#include <span>
#include <string>

#include "core/base/result.h"

namespace dotkey::host::store {

struct Paths {
  std::string config_file;  // $XDG_CONFIG_HOME/dotkey/config.toml
  std::string state_dir;    // $XDG_STATE_HOME/dotkey
  std::string keys_dir;     // $XDG_DATA_HOME/dotkey/keys
};

// From the environment; relative values are ignored as the XDG specification demands. Errors:
// file_unreadable when neither the variables, $HOME nor the user's entry in the system say where.
base::Result<Paths> paths_from_environment();

// A file that belongs to one network: STATE_DIR/<stem><ending> for the public one,
// STATE_DIR/<stem>-<hash><ending> for explicit bootstrap nodes (in any order).
std::string network_path(std::string const& state_dir, std::string const& stem,
                         std::span<std::string const> bootstrap, std::string const& ending);

}  // namespace dotkey::host::store
