// SPDX-License-Identifier: Apache-2.0
// Endpoints in the operating system's form and back.
#pragma once

#include <optional>

#include <sys/socket.h>

#include "core/base/endpoint.h"

namespace dotkey::host::loop {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] sockaddr const* get() const { return reinterpret_cast<sockaddr const*>(&storage); }
};

SocketAddress socket_address_of(base::Endpoint const& endpoint);

// Absent for families other than IPv4 and IPv6.
std::optional<base::Endpoint> endpoint_of(sockaddr const* address);

}  // namespace dotkey::host::loop
