// SPDX-License-Identifier: Apache-2.0
// One link of the chain between a browser and the network, as the doctor found it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "core/base/result.h"

#include "host/install/install.h"

namespace dotkey::host::doctor {

enum class LinkState : std::uint8_t {
  ok,
  warning,   // it holds, but not as it should
  broken,    // `command` mends it
  untested,  // something before it is missing, or no browser runs
};

// "ok", "warning", "broken", "untested".
std::string_view name_of(LinkState state);

struct Link {
  std::string name;     // "manifest"
  std::string subject;  // "chromium", a directory; empty: there is one such link only
  LinkState state = LinkState::untested;
  std::string text;
  std::string command{};               // for a shell; empty: nothing to run
  std::vector<std::string> details{};  // such as the last lines of the daemon's log
};

boost::json::object describe(Link const& link);

// What the checks look at. `install` names this user's directories and this program.
struct Surroundings {
  install::Settings install;
  std::string version;  // of this program
  std::string config_file;
  // Why the configuration cannot be used.
  std::optional<base::Error> config_error{};
  bool is_standard_state = true;  // no --state-dir
};

// Asks the running daemon; the error of the operation, or of the way to it.
using Ask = std::function<base::Result<boost::json::object>(
    std::string_view op, boost::json::object body, std::chrono::milliseconds patience)>;

// `dotkey ARGUMENTS` as a person may paste it: by its path where the shell would find another.
std::string command_for(Surroundings const& around, std::string const& arguments);
// A word for a POSIX shell.
std::string quote(std::string const& word);

}  // namespace dotkey::host::doctor
