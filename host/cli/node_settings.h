// SPDX-License-Identifier: Apache-2.0
// What the options mean for a DHT node and for the core around it.
#pragma once

#include <string>

#include "host/cli/program.h"
#include "host/daemon/core.h"
#include "host/daemon/daemon.h"
#include "host/loop/node_driver.h"

namespace dotkey::host::cli {

// A read-only node as the options ask for it: its families, its bootstrap nodes, its saved table.
loop::NodeDriverSettings node_settings(Options const& options, std::string const& state_path);

enum class Purpose : std::uint8_t {
  daemon,   // long-lived: answers others on the DHT, keeps records alive
  command,  // for one question
};

// What a running daemon takes from its options.
daemon::Changeable changeable_settings(Options const& options);

daemon::CoreSettings core_settings(Program const& program, Purpose purpose);

}  // namespace dotkey::host::cli
