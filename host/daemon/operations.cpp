// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/operations.h"

#include <utility>

#include "core/base/error.h"

namespace dotkey::host::daemon {

namespace {

struct Operation {
  std::string_view name;
  void (*run)(Services&, Session&, channel::Message);
};

constexpr Operation operations[] = {
    {"hello", &on_hello},
    {"resolve", &on_resolve},
    {"status", &on_status},
};

}  // namespace

void on_message(Services& services, Session& session, channel::Message message) {
  for (Operation const& operation : operations) {
    if (operation.name == message.op) return operation.run(services, session, std::move(message));
  }
  session.fail(message, base::Error(base::ErrorCode::session_op_unknown, message.op.substr(0, 64)));
}

// The first request of a program that wants to know whom it talks to. A browser's extension says so
// here with its version; it then gets a proxy port of its own.
void on_hello(Services& services, Session& session, channel::Message request) {
  session.answer(request, {{"version", services.version}});
}

}  // namespace dotkey::host::daemon
