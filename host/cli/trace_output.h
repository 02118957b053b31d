// SPDX-License-Identifier: Apache-2.0
// The way from a host name to its servers, for a person.
#pragma once

#include <boost/json/fwd.hpp>

namespace dotkey::host::cli {

// `found` is the answer of the operation `endpoints` (docs/protocol/socket.md).
void print_trace(boost::json::object const& found);

}  // namespace dotkey::host::cli
