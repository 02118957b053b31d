// SPDX-License-Identifier: Apache-2.0
#include "host/loop/socket_address.h"

#include <cstring>

#include <netinet/in.h>

namespace dotkey::host::loop {

SocketAddress socket_address_of(base::Endpoint const& endpoint) {
  SocketAddress out;
  auto const bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.size = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
    std::memcpy(&out.storage, &v6, sizeof v6);
    out.size = sizeof v6;
  }
  return out;
}

std::optional<base::Endpoint> endpoint_of(sockaddr const* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::uint8_t bytes[4];
    std::memcpy(bytes, &v4.sin_addr, sizeof bytes);
    return base::Endpoint{*base::IpAddress::from_bytes(bytes), ntohs(v4.sin_port)};
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::uint8_t bytes[16];
    std::memcpy(bytes, &v6.sin6_addr, sizeof bytes);
    return base::Endpoint{*base::IpAddress::from_bytes(bytes), ntohs(v6.sin6_port)};
  }
  return std::nullopt;
}

}  // namespace dotkey::host::loop
