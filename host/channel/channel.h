// SPDX-License-Identifier: Apache-2.0
// A command's connection to the daemon: one request at a time, with messages that come by itself in
// between.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/engine/time.h"

#include "host/channel/frame.h"
#include "host/channel/message.h"
#include "host/store/paths.h"

namespace dotkey::host::channel {

// A connected socket, or -1 when nobody of our user listens at any of these paths.
int connect_to_daemon(std::vector<std::string> const& socket_paths);

class Channel {
 public:
  // From now on SIGINT and SIGTERM end a request, not the program. Errors: daemon_not_running.
  static base::Result<Channel> connect(store::Paths const& paths);
  ~Channel();
  Channel(Channel&& other) noexcept;
  Channel& operator=(Channel&&) = delete;

  // The answer; its op is "error" where the daemon refused. Waits until `deadline`. `on_event` sees
  // messages with id 0. Errors: network_timeout, cancelled (SIGINT or SIGTERM), daemon_gone.
  base::Result<Message> ask(std::string_view op, boost::json::object body, engine::Instant deadline,
                            std::function<void(Message const&)> const& on_event = nullptr);

 private:
  explicit Channel(int fd) : fd_(fd) {}
  base::Result<void> send(std::string_view frame, engine::Instant deadline);
  base::Result<void> wait_for(short events, engine::Instant deadline) const;

  int fd_;
  FrameReader reader_;
  std::uint64_t last_id_ = 0;
};

}  // namespace dotkey::host::channel
