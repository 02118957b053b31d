// SPDX-License-Identifier: Apache-2.0
// Links that the running daemon knows about, or that are tried by way of it.
#pragma once

#include <vector>

#include "host/doctor/link.h"

namespace dotkey::host::doctor {

// No daemon runs.
Link report_missing_daemon(Surroundings const& around);
// One runs, and gives no answer but this error.
void report_silent_daemon(Surroundings const& around, base::Error const& error, Link& link);
// `status` is what the operation of that name gave.
Link check_daemon(Surroundings const& around, boost::json::object const& status);
// Connects to the daemon's proxy and asks for what it must refuse.
Link check_proxy(Surroundings const& around, boost::json::object const& status);
// One for each browser that is connected; a single untested one where none is.
std::vector<Link> check_extensions(Surroundings const& around, boost::json::object const& status);
// Asks the DHT and the relays for a key that nobody has. Takes up to network_patience each.
std::vector<Link> check_networks(Surroundings const& around, boost::json::object const& status,
                                 Ask const& ask);
// A page of the daemon's own, opened by each connected browser through all of the above.
std::vector<Link> check_probe(Surroundings const& around, Ask const& ask);

inline constexpr std::chrono::milliseconds network_patience{10'000};
inline constexpr std::chrono::milliseconds probe_patience{15'000};

}  // namespace dotkey::host::doctor
