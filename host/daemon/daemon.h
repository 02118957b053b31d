// SPDX-License-Identifier: Apache-2.0
// Everything long-lived in one process: one loop, one core, one socket for the programs of a user.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "core/base/result.h"
#include "core/engine/entropy.h"

#include "host/daemon/core.h"
#include "host/daemon/doctor_child.h"
#include "host/daemon/listener.h"
#include "host/daemon/lock_file.h"
#include "host/daemon/prober.h"
#include "host/page/pages.h"
#include "host/store/paths.h"

namespace dotkey::host::daemon {

struct Changeable {
  std::vector<std::string> relays;
  api::ChangeableSettings api;
  std::uint64_t packets_max = 0;
};

class Daemon {
 public:
  // Serves on `loop` until it is destroyed, which saves what is to be kept. `loop` and `entropy`
  // outlive it. Errors: daemon_running, those of Core::open and Listener::open.
  static base::Result<std::unique_ptr<Daemon>> open(boost::asio::io_context& loop,
                                                    engine::Entropy& entropy,
                                                    store::Paths const& paths,
                                                    CoreSettings settings,
                                                    page::PagesSettings pages);
  ~Daemon();
  Daemon(Daemon const&) = delete;
  Daemon& operator=(Daemon const&) = delete;

  // What of a changed configuration needs no new start. Errors: those of ApiDriver::set_relays; the
  // rest has changed then.
  base::Result<void> reload(Changeable const& settings);

  // The local CA and the browsers' trust in it, as `dotkey install` may have left them.
  void reload_trust();

  // What `dotkey allow-local` and `allow-http` may have written.
  void reload_permissions();

  [[nodiscard]] Services& services() { return core_->services(); }
  [[nodiscard]] std::string const& socket_path() const { return listener_->path(); }

 private:
  Daemon(boost::asio::io_context& loop, engine::Entropy& entropy, page::PagesSettings pages,
         LockFile lock)
      : loop_(loop), entropy_(entropy), pages_settings_(std::move(pages)), lock_(std::move(lock)) {}

  void open_pages();

  boost::asio::io_context& loop_;
  engine::Entropy& entropy_;
  page::PagesSettings pages_settings_;
  LockFile lock_;  // before all that follows: goes last
  std::unique_ptr<Core> core_;
  std::unique_ptr<page::Pages> pages_;
  std::unique_ptr<Prober> prober_;
  std::unique_ptr<DoctorChild> doctor_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace dotkey::host::daemon
