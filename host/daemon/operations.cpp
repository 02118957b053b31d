// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/operations.h"

#include <utility>

#include "core/base/error.h"

namespace dotkey::host::daemon {

namespace {

struct Operation {
  std::string_view name;
  void (*run)(Services&, Peer&, channel::Message);
};

constexpr Operation operations[] = {
    {"allow_http", &on_allow_http},
    {"allow_local", &on_allow_local},
    {"certificate", &on_certificate},
    {"doctor", &on_doctor},
    {"endpoints", &on_endpoints},
    {"export_key", &on_export_key},
    {"forget", &on_forget},
    {"hello", &on_hello},
    {"import_key", &on_import_key},
    {"keep_alive", &on_keep_alive},
    {"kept_keys", &on_kept_keys},
    {"make_key", &on_make_key},
    {"probe", &on_probe},
    {"probed", &on_probed},
    {"publish", &on_publish},
    {"publish_zone", &on_publish_zone},
    {"recheck", &on_recheck},
    {"remove_key", &on_remove_key},
    {"rename_key", &on_rename_key},
    {"resolve", &on_resolve},
    {"sign_zone", &on_sign_zone},
    {"status", &on_status},
    {"stored_keys", &on_stored_keys},
    {"subscribe", &on_subscribe},
    {"verdict", &on_verdict},
};

}  // namespace

void on_message(Services& services, Peer& peer, channel::Message message) {
  for (Operation const& operation : operations) {
    if (operation.name == message.op) return operation.run(services, peer, std::move(message));
  }
  peer.fail(message, base::Error(base::ErrorCode::session_op_unknown, message.op.substr(0, 64)));
}

boost::json::object describe(Network const& network) {
  return {{"bootstrap", boost::json::array(network.bootstrap.begin(), network.bootstrap.end())},
          {"relays", boost::json::array(network.relays.begin(), network.relays.end())},
          {"dht", network.dht}};
}

void on_subscribe(Services& services, Peer& peer, channel::Message request) {
  services.events.subscribe(peer);
  peer.answer(request, {});
}

}  // namespace dotkey::host::daemon
