// SPDX-License-Identifier: Apache-2.0
// What programs may ask of the daemon, by the name of the operation. docs/protocol/socket.md
// describes them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json/array.hpp>

#include "core/engine/time.h"

#include "host/daemon/certificate_looks.h"
#include "host/daemon/events.h"
#include "host/daemon/peer.h"
#include "host/daemon/stored_keys.h"
#include "host/driver/api_driver.h"
#include "host/page/pages.h"
#include "host/store/allowed_keys.h"

namespace dotkey::host::daemon {

class DoctorChild;
class Listener;
class Prober;

// What the program's networks are, as it was told.
struct Network {
  std::vector<std::string> bootstrap;  // empty: the public DHT
  std::vector<std::string> relays;
  bool dht = true;
};

// What operations work with. Outlives every peer.
struct Services {
  driver::ApiDriver& driver;
  store::AllowedKeys& local_keys;
  store::AllowedKeys& http_keys;
  StoredKeys& stored_keys;
  CertificateLooks& certificate_looks;
  Events& events;
  Network network;
  std::string state_dir;
  std::string version;  // "0.1.0"
  engine::UnixTime started;
  Listener* listener = nullptr;  // of a daemon; a command that works alone has none
  // Of a daemon that can open pages; the error says why it cannot.
  page::Pages* pages = nullptr;
  std::optional<base::Error> pages_error = std::nullopt;
  // Of a daemon.
  Prober* prober = nullptr;
  DoctorChild* doctor = nullptr;
};

// Finds the operation and runs it. A request that nobody knows is answered with an error, a message
// without an id is dropped.
void on_message(Services& services, Peer& peer, channel::Message message);

// The operations. Each answers its request now or later; to do so later it holds the peer by
// weak_from_this().
void on_allow_http(Services& services, Peer& peer, channel::Message request);
void on_allow_local(Services& services, Peer& peer, channel::Message request);
void on_doctor(Services& services, Peer& peer, channel::Message request);
void on_certificate(Services& services, Peer& peer, channel::Message request);
void on_endpoints(Services& services, Peer& peer, channel::Message request);
void on_export_key(Services& services, Peer& peer, channel::Message request);
void on_forget(Services& services, Peer& peer, channel::Message request);
void on_hello(Services& services, Peer& peer, channel::Message request);
void on_import_key(Services& services, Peer& peer, channel::Message request);
void on_keep_alive(Services& services, Peer& peer, channel::Message request);
void on_kept_keys(Services& services, Peer& peer, channel::Message request);
void on_make_key(Services& services, Peer& peer, channel::Message request);
void on_probe(Services& services, Peer& peer, channel::Message request);
void on_probed(Services& services, Peer& peer, channel::Message message);
void on_publish(Services& services, Peer& peer, channel::Message request);
void on_publish_zone(Services& services, Peer& peer, channel::Message request);
void on_recheck(Services& services, Peer& peer, channel::Message request);
void on_remove_key(Services& services, Peer& peer, channel::Message request);
void on_rename_key(Services& services, Peer& peer, channel::Message request);
void on_resolve(Services& services, Peer& peer, channel::Message request);
void on_sign_zone(Services& services, Peer& peer, channel::Message request);
void on_status(Services& services, Peer& peer, channel::Message request);
void on_stored_keys(Services& services, Peer& peer, channel::Message request);
void on_subscribe(Services& services, Peer& peer, channel::Message request);
void on_verdict(Services& services, Peer& peer, channel::Message message);

// Lets every browser know which keys' pages may be opened over http.
void tell_http_keys(Services& services);
boost::json::array describe_keys(store::AllowedKeys const& keys);

// What they have in common. publish_packet() answers the request when the packet is published, by
// answer_published(): what was published, or what stood in its way.
void publish_packet(Services& services, Peer& peer, channel::Message const& request,
                    record::SignedPacket const& packet, publish::Options const& options);
void answer_published(Peer& peer, channel::Message const& request, record::SignedPacket const& ours,
                      publish::Outcome const& outcome);

boost::json::object describe(Network const& network);

// A frame has no room for all of ten thousand keys.
inline constexpr std::size_t kept_keys_shown_max = 1000;
boost::json::array describe_kept_keys(api::Node const& node);

}  // namespace dotkey::host::daemon
