// SPDX-License-Identifier: Apache-2.0
// The public Mainline DHT's well-known entry points.
#pragma once

#include <array>
#include <string_view>

namespace dotkey::host::loop {

inline constexpr std::array<std::string_view, 4> public_bootstrap_nodes = {
    "router.bittorrent.com:6881",
    "dht.transmissionbt.com:6881",
    "dht.libtorrent.org:25401",
    "relay.pkarr.org:6881",
};

}  // namespace dotkey::host::loop
