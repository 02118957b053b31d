// SPDX-License-Identifier: Apache-2.0
// Where a command's requests go: to the daemon of this state directory, or, where none runs, to a
// core in this process. Both take the operations of docs/protocol/socket.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "core/base/result.h"

#include "host/channel/message.h"
#include "host/cli/program.h"

namespace dotkey::host::cli {

class Access {
 public:
  // A command line that names another network than the daemon's is for this process alone.
  // `program` outlives the access. Errors: those of daemon::Core::open.
  static base::Result<std::unique_ptr<Access>> open(Program& program);
  // Errors: daemon_not_running.
  static base::Result<std::unique_ptr<Access>> open_daemon(Program& program);
  virtual ~Access() = default;

  // The answer's body. On the way `label` and how far things are stand on a terminal; empty: no.
  // After a failure failed_body() has what stands beside the error. Errors: the operation's,
  // network_timeout, cancelled, daemon_gone.
  base::Result<boost::json::object> ask(std::string_view op, boost::json::object body,
                                        std::string const& label = "");
  [[nodiscard]] boost::json::object const& failed_body() const { return failed_body_; }
  // What runs in this process goes on meanwhile. False: Ctrl-C.
  virtual bool wait(engine::Duration duration) = 0;

 protected:
  explicit Access(Program& program) : program_(program) {}
  // The answer's `op` is "error" where it is one.
  using OnProgress = std::function<void(boost::json::object const&)>;
  virtual base::Result<channel::Message> exchange(std::string_view op, boost::json::object body,
                                                  engine::Instant deadline,
                                                  OnProgress const& on_progress) = 0;
  Program& program_;

 private:
  boost::json::object failed_body_;
};

}  // namespace dotkey::host::cli
