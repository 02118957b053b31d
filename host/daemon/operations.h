// SPDX-License-Identifier: Apache-2.0
// What programs may ask of the daemon, by the name of the operation. Each stands in a file of its
// own with the JSON that it reads and writes; docs/protocol/socket.md describes them.
#pragma once

#include <string>

#include "core/engine/time.h"

#include "host/daemon/session.h"
#include "host/driver/api_driver.h"
#include "host/store/paths.h"

namespace dotkey::host::daemon {

class Listener;

// What operations work with; of the daemon, which outlives every session.
struct Services {
  driver::ApiDriver& driver;
  store::Paths const& paths;
  std::string version;  // "0.1.0"
  engine::UnixTime started;
  Listener* listener = nullptr;
};

// Finds the operation and runs it. A request that nobody knows is answered with an error, a message
// without an id is dropped.
void on_message(Services& services, Session& session, channel::Message message);

// The operations. Each answers its request now or later; to do so later it holds the session by
// weak_from_this().
void on_hello(Services& services, Session& session, channel::Message request);
void on_resolve(Services& services, Session& session, channel::Message request);
void on_status(Services& services, Session& session, channel::Message request);

}  // namespace dotkey::host::daemon
