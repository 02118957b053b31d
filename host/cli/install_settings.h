// SPDX-License-Identifier: Apache-2.0
// The directories of this user that browsers keep things in.
#pragma once

#include "host/cli/program.h"
#include "host/install/install.h"

namespace dotkey::host::cli {

// Fills in what the environment says. Errors: file_unreadable without a home directory.
base::Result<void> complete_install_settings(install::Settings& settings, Program const& program);

}  // namespace dotkey::host::cli
