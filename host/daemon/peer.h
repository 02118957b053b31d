// SPDX-License-Identifier: Apache-2.0
// Who asks the daemon: a program at the other end of the socket, or a command in this very process.
#pragma once

#include <memory>
#include <string_view>

#include <boost/json/object.hpp>

#include "core/base/error.h"

#include "host/channel/message.h"

namespace dotkey::host::daemon {

// What belongs to one peer and ends with it, such as the proxy port of a browser.
class PeerPart {
 public:
  virtual ~PeerPart() = default;
};

class Peer : public std::enable_shared_from_this<Peer> {
 public:
  Peer() = default;
  virtual ~Peer() = default;
  Peer(Peer const&) = delete;
  Peer& operator=(Peer const&) = delete;

  // Each request is answered once, at any later time; nothing happens when the peer has gone.
  virtual void answer(channel::Message const& request, boost::json::object body) = 0;
  // `further` fields go beside slug, advice and detail.
  virtual void fail(channel::Message const& request, base::Error const& error,
                    boost::json::object further = {}) = 0;
  // A message by ourselves, with id 0.
  virtual void send(std::string_view op, boost::json::object body) = 0;

  // To events (docs/protocol/socket.md).
  bool subscribed = false;
  std::unique_ptr<PeerPart> part;
};

}  // namespace dotkey::host::daemon
