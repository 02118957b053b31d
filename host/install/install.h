// SPDX-License-Identifier: Apache-2.0
// `dotkey install` and `dotkey uninstall`: everything that connects the browsers of this system
// with the program, and the way back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

#include "host/install/browsers.h"
#include "host/install/trust_child.h"
#include "host/trust/trust_stores.h"

namespace dotkey::host::install {

struct Settings {
  Directories user;
  trust::UserDirectories trust_user;
  std::string state_dir;
  std::vector<std::string> sockets;  // where a daemon may listen
  std::string program;               // absolute path of `dotkey`
  std::string search_path;           // $PATH
  std::string browser;               // one alone; empty: those that are present
  bool system = false;               // for all users, as root
  std::string root;                  // before every path of the system; for packagers
  bool dns = false;                  // with `system`: systemd-resolved asks us for `.key`
  bool new_ca = false;               // instead of the one that there is
  bool dry_run = false;
};

// One thing that was, or would be, done.
struct Step {
  std::string what;  // "manifest", "preferences", "policy", "dns", "ca", "certificate", "daemon"…
  std::string browser;  // empty: all
  std::string path;
  bool changed = false;
  std::optional<base::Error> error{};
  std::string hint{};  // what is left for the person to do
};

// Errors, besides those of single steps: install_browser_unknown, install_list_malformed,
// file_unreadable.
base::Result<std::vector<Step>> install(Settings const& settings);
base::Result<std::vector<Step>> uninstall(Settings const& settings);

// What `dotkey trust` did to one database, as a step.
Step certificate_step(TrustReport const& report, TrustRequest const& request);

}  // namespace dotkey::host::install
