// SPDX-License-Identifier: Apache-2.0
// A DNS server beside a core: what `dotkey dns` is, and what the daemon does where its
// configuration says so.
#pragma once

#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>

#include "host/cli/program.h"
#include "host/daemon/operations.h"
#include "host/dns/metrics.h"

namespace dotkey::host::cli {

struct DnsServing {
  std::unique_ptr<dns::Server> server;
  std::unique_ptr<http::Server> metrics;  // goes first
};

// `loop` and `services` outlive it. `cache` is the core's: a packet and the answers made from it
// grow old together. Errors: those of dns_server_settings, Server::open and serve_metrics.
base::Result<DnsServing> serve_dns(boost::asio::io_context& loop, daemon::Services& services,
                                   Options const& options, cache::Settings const& cache);

// "dns", "tls", "https": lists of addresses; "metrics_port".
void add_addresses(boost::json::object& out, DnsServing const& serving);

}  // namespace dotkey::host::cli
