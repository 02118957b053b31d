// SPDX-License-Identifier: Apache-2.0
// A resolver that answers for all names that are not ours.
#pragma once

#include <string>
#include <string_view>

#include "core/base/endpoint.h"
#include "core/base/result.h"
#include "core/bridge/admission.h"

namespace dotkey::host::dns {

struct Upstream {
  bridge::Transport transport = bridge::Transport::udp;
  base::Endpoint endpoint;
  // Whom the certificate has to name: the address itself when this is empty. TLS and HTTPS.
  std::string name;
  std::string path;  // HTTPS

  // "192.0.2.1", "192.0.2.1:53", "[2001:db8::1]:53" (UDP, and TCP for what is truncated),
  // "tcp://192.0.2.1", "tls://192.0.2.1:853#dns.example",
  // "https://192.0.2.1/dns-query#dns.example". Errors: address_malformed.
  static base::Result<Upstream> parse(std::string_view text);
  friend bool operator==(Upstream const&, Upstream const&) = default;
};

}  // namespace dotkey::host::dns
