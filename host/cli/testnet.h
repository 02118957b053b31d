// SPDX-License-Identifier: Apache-2.0
// A DHT of its own on loopback, and a relay beside it.
#pragma once

#include <cstdint>

#include "host/cli/program.h"

namespace dotkey::host::cli {

struct TestnetArguments {
  std::uint32_t nodes = 20;
  std::uint16_t port_base = 0;   // 0: free ports
  std::uint16_t relay_port = 0;  // 0: a free one
  bool ipv6 = false;
  bool spread = false;
};

// Prints where it is and runs until SIGINT or SIGTERM. Errors: network_socket_failed,
// network_timeout, cancelled, store_unusable, file_unwritable.
base::Result<void> run_testnet(Program& program, TestnetArguments const& arguments);

}  // namespace dotkey::host::cli
