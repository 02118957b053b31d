// SPDX-License-Identifier: Apache-2.0
// How this program starts its daemon where none runs.
#pragma once

#include "host/cli/program.h"
#include "host/native/daemon_launch.h"

namespace dotkey::host::cli {

// For the state directory, the configuration and the networks that this command line names.
native::LaunchSettings launch_settings(Program const& program);

// Tells the daemon of this state directory, if one runs, to read again what is on disk.
void tell_daemon_to_reload(Program const& program);

}  // namespace dotkey::host::cli
