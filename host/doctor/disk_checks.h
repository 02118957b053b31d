// SPDX-License-Identifier: Apache-2.0
// Links that can be looked at without the daemon: files, certificate stores, the clock. None of
// these functions changes anything.
#pragma once

#include <vector>

#include "host/doctor/link.h"

namespace dotkey::host::doctor {

Link check_configuration(Surroundings const& around);
// The state directory is there, ours, and can be written to.
Link check_state_directory(Surroundings const& around);
// One for each browser that is present.
std::vector<Link> check_manifests(Surroundings const& around);
// Preferences of Firefox profiles that keep names out of the DNS.
std::vector<Link> check_preferences(Surroundings const& around);
Link check_ca(Surroundings const& around);
// One for each certificate store, by a child that has `trust_patience` at most.
std::vector<Link> check_trust(Surroundings const& around);
// By what is known of the past: this program, the CA and the state were not made tomorrow.
Link check_clock(Surroundings const& around);

}  // namespace dotkey::host::doctor
