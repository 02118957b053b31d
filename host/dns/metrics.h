// SPDX-License-Identifier: Apache-2.0
// Counters of the DNS server for Prometheus, at /metrics.
#pragma once

#include <memory>

#include <boost/asio/io_context.hpp>

#include "host/dns/server.h"
#include "host/http/server.h"

namespace dotkey::host::dns {

// `loop` and `server` outlive it. Errors: network_socket_failed.
base::Result<std::unique_ptr<http::Server>> serve_metrics(boost::asio::io_context& loop,
                                                          base::Endpoint const& listen,
                                                          Server const& server);

}  // namespace dotkey::host::dns
