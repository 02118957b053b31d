// SPDX-License-Identifier: Apache-2.0
// The whole chain: extension, manifest, daemon, CA, proxy, network, clock, and a page through all.
#pragma once

#include "host/doctor/link.h"

namespace dotkey::host::doctor {

// Every link in order, each as soon as it is known. `ask` is null where no daemon runs. Takes no
// longer than some 60 s, and changes nothing.
void walk_chain(Surroundings const& around, Ask const& ask,
                std::function<void(Link const&)> const& on_link);

}  // namespace dotkey::host::doctor
