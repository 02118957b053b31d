// SPDX-License-Identifier: Apache-2.0
// What the DNS server's options mean.
#pragma once

#include <string>

#include "host/cli/options.h"
#include "host/dns/server.h"

namespace dotkey::host::cli {

// Errors: address_malformed, file_unreadable, zone_syntax, dns_name_invalid.
base::Result<dns::ServerSettings> dns_server_settings(DnsOptions const& options,
                                                      bool allow_local_network);

// "ADDRESS:PORT" with port 0 allowed. Errors: address_malformed.
base::Result<base::Endpoint> parse_listen(std::string const& text);

}  // namespace dotkey::host::cli
