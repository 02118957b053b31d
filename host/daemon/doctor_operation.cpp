// SPDX-License-Identifier: Apache-2.0
// doctor: what `dotkey doctor --json` prints, for the extension's pages.
#include "host/daemon/doctor_child.h"
#include "host/daemon/operations.h"

namespace dotkey::host::daemon {

void on_doctor(Services& services, Peer& peer, channel::Message request) {
  if (services.doctor == nullptr) {
    return peer.fail(request, base::Error(base::ErrorCode::daemon_not_running));
  }
  services.doctor->run(
      [weak = peer.weak_from_this(), request](base::Result<boost::json::object> const& report) {
        auto const asker = weak.lock();
        if (!asker) return;
        if (!report) return asker->fail(request, report.error());
        asker->answer(request, *report);
      });
}

}  // namespace dotkey::host::daemon
