// SPDX-License-Identifier: Apache-2.0
// Where a host name leads, as JSON (docs/protocol/socket.md).
#pragma once

#include <boost/json/array.hpp>

#include "core/resolve/endpoints.h"

namespace dotkey::host::json {

boost::json::array describe_endpoints(resolve::EndpointSearch const& search);
boost::json::array describe_trace(resolve::EndpointSearch const& search);

}  // namespace dotkey::host::json
