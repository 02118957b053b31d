// SPDX-License-Identifier: Apache-2.0
#include "host/doctor/link.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace dotkey::host::doctor {
namespace {

// What `dotkey` means to a shell with this search path.
std::string found_on(std::string_view search_path) {
  while (!search_path.empty()) {
    std::size_t const end = std::min(search_path.find(':'), search_path.size());
    std::string const file = std::string(search_path.substr(0, end)) + "/dotkey";
    if (::access(file.c_str(), X_OK) == 0) return file;
    search_path.remove_prefix(std::min(end + 1, search_path.size()));
  }
  return "";
}

bool is_same_file(std::string const& a, std::string const& b) {
  struct stat left{};
  struct stat right{};
  return ::stat(a.c_str(), &left) == 0 && ::stat(b.c_str(), &right) == 0 &&
         left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

}  // namespace

std::string_view name_of(LinkState state) {
  switch (state) {
    case LinkState::ok:
      return "ok";
    case LinkState::warning:
      return "warning";
    case LinkState::broken:
      return "broken";
    case LinkState::untested:
      break;
  }
  return "untested";
}

boost::json::object describe(Link const& link) {
  boost::json::object out{{"link", link.name}, {"state", name_of(link.state)}, {"text", link.text}};
  if (!link.subject.empty()) out["subject"] = link.subject;
  if (!link.command.empty()) out["command"] = link.command;
  if (!link.details.empty()) {
    out["details"] = boost::json::array(link.details.begin(), link.details.end());
  }
  return out;
}

std::string quote(std::string const& word) {
  bool const plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+:@=,").find(c) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (char const c : word) c == '\'' ? quoted.append("'\\''") : quoted.append(1, c);
  return quoted + "'";
}

std::string command_for(Surroundings const& around, std::string const& arguments) {
  std::string const& program = around.install.program;
  std::string const found = found_on(around.install.search_path);
  std::string command = !found.empty() && is_same_file(found, program) ? "dotkey" : quote(program);
  command.append(" ").append(arguments);
  if (!around.is_standard_state) {
    command.append(" --state-dir ").append(quote(around.install.state_dir));
  }
  return command;
}

}  // namespace dotkey::host::doctor
