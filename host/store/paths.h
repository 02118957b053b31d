// SPDX-License-Identifier: Apache-2.0
// Where a user's files are: the XDG base directories.
#pragma once

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

}  // namespace dotkey::host::store
