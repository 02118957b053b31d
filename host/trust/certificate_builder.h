// SPDX-License-Identifier: Apache-2.0
// The two kinds of certificate that this program issues: its constrained root, and leaves for one
// host each. Failures in here are out-of-memory or our own bug, hence assertions.
#pragma once

#include <string>

#include "core/engine/time.h"

#include "host/trust/openssl_handles.h"

namespace dotkey::host::trust {

PrivateKeyPtr make_p256_key();

struct Validity {
  engine::UnixTime not_before;
  engine::UnixTime not_after;
};

// A self-signed root that can vouch for names below `.key` and for nothing else (RFC 5280
// §4.2.1.10: critical name constraints, permitted DNS `key`, excluded every IPv4 and IPv6 address),
// for TLS servers only, and for no CA below it. `common_name`: at most 64 bytes.
X509Ptr make_root(EVP_PKEY* key, std::string const& common_name, Validity validity);

// A certificate for exactly `host` (an A-label host name, no wildcard), with the subject key of
// `key`, signed by the root. Its end is never after the root's.
X509Ptr make_leaf(EVP_PKEY* key, std::string const& host, X509* root, EVP_PKEY* root_key,
                  Validity validity);

engine::UnixTime not_before_of(X509 const* certificate);
engine::UnixTime not_after_of(X509 const* certificate);

}  // namespace dotkey::host::trust
