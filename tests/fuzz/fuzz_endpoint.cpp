// SPDX-License-Identifier: Apache-2.0
// IP addresses and endpoints: what is accepted has one canonical spelling, and no address is both
// global and local.
#include "core/base/assert.h"
#include "core/base/endpoint.h"

namespace dotkey::base {
namespace {

void check_address(IpAddress const& address) {
  std::string const text = address.to_string();
  DOTKEY_ASSERT(IpAddress::parse(text).value() == address);
  DOTKEY_ASSERT(IpAddress::from_bytes(address.bytes()) == address);
  if (address.is_global()) {
    DOTKEY_ASSERT(!address.is_local_network() && !address.is_loopback());
    DOTKEY_ASSERT(!address.is_multicast() && !address.is_unspecified());
  }
  if (address.is_loopback()) DOTKEY_ASSERT(address.is_local_network());
}

void check(ByteView input) {
  if (auto const address = IpAddress::from_bytes(input)) check_address(*address);
  if (auto const address = IpAddress::parse(text_of(input))) {
    check_address(*address);
    DOTKEY_ASSERT(address->to_string().size() <= 39);
  }
  if (auto const endpoint = Endpoint::parse(text_of(input))) {
    DOTKEY_ASSERT(endpoint->port != 0);
    DOTKEY_ASSERT(Endpoint::parse(endpoint->to_string()).value() == *endpoint);
    check_address(endpoint->address);
  }
}

}  // namespace
}  // namespace dotkey::base

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dotkey::base::check({data, size});
  return 0;
}
