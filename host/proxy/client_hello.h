// SPDX-License-Identifier: Apache-2.0
// Reads what the proxy needs from a browser's TLS ClientHello before any TLS library sees it: the
// protocols that it offers (RFC 7301) and the name that it asks for (RFC 6066).
#pragma once

#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace dotkey::host::proxy {

// Post-quantum key shares and GREASE make 2 KB; more than this is no browser.
inline constexpr std::size_t client_hello_size_max = 16 * 1024;

struct ClientHello {
  std::string server_name;        // lower case, without a trailing dot; empty: not sent
  std::vector<std::string> alpn;  // in the client's order, GREASE values included
  std::size_t wire_size = 0;      // bytes of the records that carried it
};

enum class HelloStatus : std::uint8_t { incomplete, complete, malformed };

struct HelloOutcome {
  HelloStatus status = HelloStatus::incomplete;
  ClientHello hello;  // when complete
};

// `bytes` is everything received so far, records and all; a hello may span several records (RFC
// 8446 §5.1). Malformed: not TLS, not a ClientHello, contradictory lengths, or larger than allowed.
HelloOutcome parse_client_hello(base::ByteView bytes);

}  // namespace dotkey::host::proxy
