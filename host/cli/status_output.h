// SPDX-License-Identifier: Apache-2.0
// The daemon's status for a person.
#pragma once

#include <boost/json/fwd.hpp>

#include "core/engine/time.h"

namespace dotkey::host::cli {

// `status` as in docs/protocol/socket.md.
void print_status(boost::json::object const& status, engine::UnixTime now);

}  // namespace dotkey::host::cli
