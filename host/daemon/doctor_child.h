// SPDX-License-Identifier: Apache-2.0
// `dotkey doctor` in a process of its own, for programs that ask the daemon: what it looks at may
// keep it waiting, and the daemon must not wait.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include "core/base/result.h"

namespace dotkey::host::daemon {

inline constexpr std::chrono::seconds doctor_timeout{90};

class DoctorChild {
 public:
  // `program`: this one's path.
  DoctorChild(boost::asio::io_context& loop, std::string program, std::string state_dir);
  ~DoctorChild();
  DoctorChild(DoctorChild const&) = delete;
  DoctorChild& operator=(DoctorChild const&) = delete;

  // What `dotkey doctor --json` prints. There is one at a time; who asks meanwhile shares it.
  // Errors: install_child_failed.
  using OnDone = std::function<void(base::Result<boost::json::object> const&)>;
  void run(OnDone on_done);

 private:
  bool spawn();
  void read();
  void finish();

  std::string program_;
  std::string state_dir_;
  boost::asio::posix::stream_descriptor output_;
  boost::asio::steady_timer timer_;
  std::optional<int> pid_;
  std::array<char, 16'384> piece_{};
  std::string text_;
  std::vector<OnDone> waiting_;
};

}  // namespace dotkey::host::daemon
