// SPDX-License-Identifier: Apache-2.0
// One program connected to the daemon: its messages in, ours out, both bounded.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/object.hpp>

#include "host/channel/frame.h"
#include "host/channel/message.h"
#include "host/daemon/peer.h"

namespace dotkey::host::daemon {

// Waiting to be read by the other side; who leaves more lying is disconnected.
inline constexpr std::size_t outbound_size_max = 4 * 1024 * 1024;
// Requests of one session without an answer yet.
inline constexpr std::size_t requests_max = 256;

class Session final : public Peer {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  // A request of the other side, or with id 0 a message that wants no answer.
  using OnMessage = std::function<void(Session&, channel::Message)>;
  using OnClosed = std::function<void(Session&)>;

  Session(Socket socket, OnMessage on_message, OnClosed on_closed);

  void start();
  // Also ends the session's part. `on_closed` runs once, on the loop.
  void close();
  [[nodiscard]] bool is_open() const { return open_; }

  void answer(channel::Message const& request, boost::json::object body) override;
  void fail(channel::Message const& request, base::Error const& error,
            boost::json::object further = {}) override;
  void send(std::string_view op, boost::json::object body) override;

 private:
  void read();
  void on_read(std::size_t size);
  void on_message(channel::Message message);
  void send_frame(std::string_view payload);
  void write();
  std::shared_ptr<Session> self() { return std::static_pointer_cast<Session>(shared_from_this()); }

  Socket socket_;
  OnMessage on_message_;
  OnClosed on_closed_;
  bool open_ = true;
  channel::FrameReader reader_;
  std::array<std::uint8_t, 16'384> piece_{};
  std::set<std::uint64_t> unanswered_;
  std::string waiting_;  // to be written next
  std::string writing_;  // under way
};

}  // namespace dotkey::host::daemon
