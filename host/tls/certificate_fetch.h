// SPDX-License-Identifier: Apache-2.0
// Asks a TLS server for its certificate. Nothing is verified: the answer is what the server's owner
// is about to publish, not something to trust.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/engine/time.h"

#include "host/loop/foreground.h"
#include "host/loop/name_lookup.h"

namespace dotkey::host::tls {

// Connects to `server` (an IP address or a name from DNS), sends `server.host` as SNI and returns
// the certificate in DER. Errors: network_name_unresolved, network_connection_failed,
// network_timeout, tls_failed, cancelled.
base::Result<base::Bytes> fetch_certificate(loop::Foreground& foreground,
                                            loop::HostPort const& server, engine::Instant deadline);

}  // namespace dotkey::host::tls
