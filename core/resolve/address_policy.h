// SPDX-License-Identifier: Apache-2.0
// Which addresses and names a stranger's packet may lead to: against DNS rebinding.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/endpoint.h"

namespace dotkey::resolve {

// The user's word for the key of the host asked for, not for keys that it leads to.
enum class LocalNetwork : std::uint8_t { refused, allowed };

// Multicast, broadcast, unspecified and reserved addresses are never allowed; loopback, private,
// shared and link-local ones, also inside IPv6, only with LocalNetwork::allowed. Also for what the
// driver gets when it looks up an ICANN host.
bool is_address_allowed(base::IpAddress const& address, LocalNetwork local);

// A name to look up in the DNS: letters, digits, hyphens and underscores, no `.key`, no numbers
// that a resolver would take for an address. Names without a dot, `localhost` and the names of
// local networks (RFC 6761, 6762, 8375, ICANN's `internal`) only with LocalNetwork::allowed.
bool is_icann_host_allowed(std::string_view host, LocalNetwork local);

}  // namespace dotkey::resolve
