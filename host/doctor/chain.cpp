// SPDX-License-Identifier: Apache-2.0
#include "host/doctor/chain.h"

#include "host/doctor/daemon_checks.h"
#include "host/doctor/disk_checks.h"

namespace dotkey::host::doctor {
namespace {

constexpr std::chrono::seconds status_patience{5};
constexpr char needs_daemon[] = "needs the daemon";

using OnLink = std::function<void(Link const&)>;

void tell_all(std::vector<Link> const& links, OnLink const& on_link) {
  for (Link const& link : links) on_link(link);
}

void walk_daemon(Surroundings const& around, Ask const& ask, OnLink const& on_link) {
  auto const status =
      ask ? ask("status", {}, status_patience)
          : base::Result<boost::json::object>(base::fail(base::ErrorCode::daemon_not_running));
  if (!status) {
    Link missing = report_missing_daemon(around);
    if (ask) report_silent_daemon(around, status.error(), missing);
    on_link(missing);
    for (char const* const name : {"proxy", "extension", "dht", "relay", "probe"}) {
      on_link({name, "", LinkState::untested, needs_daemon});
    }
    return;
  }
  on_link(check_daemon(around, *status));
  on_link(check_proxy(around, *status));
  tell_all(check_extensions(around, *status), on_link);
  tell_all(check_networks(around, *status, ask), on_link);
  tell_all(check_probe(around, ask), on_link);
}

}  // namespace

void walk_chain(Surroundings const& around, Ask const& ask, OnLink const& on_link) {
  on_link(check_configuration(around));
  on_link(check_state_directory(around));
  on_link(check_clock(around));
  tell_all(check_manifests(around), on_link);
  tell_all(check_preferences(around), on_link);
  Link const ca = check_ca(around);
  on_link(ca);
  if (ca.state == LinkState::ok) {
    tell_all(check_trust(around), on_link);
  } else {
    on_link({"trust", "", LinkState::untested, "needs the local CA"});
  }
  walk_daemon(around, ask, on_link);
}

}  // namespace dotkey::host::doctor
