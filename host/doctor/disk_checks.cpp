// SPDX-License-Identifier: Apache-2.0
#include "host/doctor/disk_checks.h"

#include <algorithm>
#include <ctime>

#include <boost/json/parse.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "host/doctor/shown_time.h"
#include "host/install/child.h"
#include "host/install/wanted_files.h"
#include "host/loop/clock.h"
#include "host/store/atomic_file.h"
#include "host/trust/certificate_builder.h"
#include "host/trust/local_ca.h"

namespace dotkey::host::doctor {
namespace {

using base::ErrorCode;
using install::Browser;
using install::BrowserKind;
using install::WantedFile;

constexpr std::chrono::seconds version_patience{3};
constexpr std::chrono::seconds trust_patience{15};
constexpr std::size_t manifest_size_max = 64 * 1024;
// Nothing of this program was there before. Seconds since 1970: 2026-01-01.
constexpr std::int64_t beginning_s = 1'767'225'600;
constexpr std::int64_t clock_slack_s = 300;

std::string text_of(base::Error const& error) {
  std::string text(base::advice_for(error.code));
  if (!error.detail.empty()) text.append(" (").append(error.detail).append(")");
  return text;
}

std::string install_command(Surroundings const& around, std::string const& browser) {
  return command_for(around, "install --browser " + browser);
}

// The program that a manifest names; empty: it is no manifest of ours.
std::string program_in(std::string const& manifest) {
  auto const text = store::read_file(manifest, manifest_size_max);
  if (!text) return "";
  boost::system::error_code error;
  auto const value = boost::json::parse(base::text_of(*text), error);
  auto const* const root = error ? nullptr : value.if_object();
  auto const* const path = root == nullptr ? nullptr : root->if_contains("path");
  auto const* const name = root == nullptr ? nullptr : root->if_contains("name");
  bool const ours = name != nullptr && name->is_string() && name->get_string() == "org.dotkey.host";
  return ours && path != nullptr && path->is_string() ? std::string(path->get_string()) : "";
}

// Browsers would start it, too.
bool is_dotkey(std::string const& program) {
  auto const output = install::run_child({program, "--version"}, version_patience);
  return output && output->exit_code == 0 && output->out.starts_with("dotkey ");
}

Link judge_manifest(Surroundings const& around, Browser const& browser, std::string const& path,
                    std::string const& wanted) {
  Link link{"manifest", browser.name, LinkState::broken, "", install_command(around, browser.name)};
  auto const text = store::read_file(path, manifest_size_max);
  if (!text) {
    link.text = text_of(text.error());
    return link;
  }
  std::string const program = program_in(path);
  if (base::text_of(*text) == wanted) {
    link.state = LinkState::ok;
    link.text = path;
    link.command.clear();
  } else if (program.empty()) {
    link.text = path + " is not a manifest of dotkey";
  } else if (::access(program.c_str(), X_OK) != 0) {
    link.text = path + " names " + program + ", which is not there or cannot be run";
  } else if (program == around.install.program) {
    link.text = path + " does not admit the extension";
  } else if (!is_dotkey(program)) {
    link.text = path + " names " + program + ", which is another program";
  } else {
    link.state = LinkState::warning;
    link.text = path + " names " + program + ", another copy of dotkey";
  }
  return link;
}

bool is_ours_to_write(std::string const& directory) {
  struct stat facts{};
  return ::stat(directory.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) &&
         facts.st_uid == ::geteuid() && ::access(directory.c_str(), R_OK | W_OK | X_OK) == 0;
}

// The nearest directory of `path` that is there.
std::string existing_part(std::string path) {
  while (path.size() > 1 && !store::exists(path)) {
    path.resize(std::max<std::size_t>(1, path.rfind('/')));
  }
  return path;
}

std::int64_t modified_s(std::string const& path) {
  struct stat facts{};
  return ::stat(path.c_str(), &facts) == 0 ? facts.st_mtim.tv_sec : 0;
}

Link unusable_ca(Surroundings const& around, base::Error const& error) {
  std::string const command = command_for(around, "install --new-ca");
  return {"ca", "", LinkState::broken, text_of(error), command};
}

}  // namespace

Link check_configuration(Surroundings const& around) {
  Link link{"configuration", "", LinkState::ok, around.config_file};
  if (around.config_error) {
    link.state = LinkState::broken;
    link.text = text_of(*around.config_error);
    std::string const file = quote(around.config_file);
    link.command = "mv " + file + " " + quote(around.config_file + ".broken");
  } else if (!store::exists(around.config_file)) {
    link.text = "none, and none is needed";
  }
  return link;
}

Link check_state_directory(Surroundings const& around) {
  std::string const& directory = around.install.state_dir;
  Link link{"state", "", LinkState::ok, directory};
  std::string const there = existing_part(directory);
  bool const is_there = there == directory;
  if (is_there ? is_ours_to_write(there) : ::access(there.c_str(), W_OK | X_OK) == 0) {
    if (!is_there) link.text = directory + " will be made when it is needed";
    return link;
  }
  link.state = LinkState::broken;
  link.text = there + " does not belong to this user, or cannot be written to";
  struct stat facts{};
  bool const is_ours = ::stat(there.c_str(), &facts) == 0 && facts.st_uid == ::geteuid();
  if (is_ours && S_ISDIR(facts.st_mode)) {
    link.command = "chmod u+rwx " + quote(there);
  } else if (is_ours) {
    link.text = there + " is no directory";
    link.command = "mv " + quote(there) + " " + quote(there + ".old");
  } else {
    link.command = "sudo chown -R \"$(id -u)\" " + quote(there);
  }
  return link;
}

std::vector<Link> check_manifests(Surroundings const& around) {
  std::vector<Link> links;
  auto const browsers = install::chosen_browsers(around.install);
  for (Browser const& browser : browsers ? *browsers : std::vector<Browser>{}) {
    std::string const mine = browser.user_manifests + install::manifest_name;
    std::string const everybodys = browser.system_manifests + install::manifest_name;
    // The user's own goes before the system's.
    bool const is_mine = store::exists(mine);
    if (!is_mine && (browser.system_manifests.empty() || !store::exists(everybodys))) {
      links.push_back({"manifest", browser.name, LinkState::broken,
                       "dotkey is not installed for this browser",
                       install_command(around, browser.name)});
      continue;
    }
    links.push_back(judge_manifest(around, browser, is_mine ? mine : everybodys,
                                   install::manifest_for(browser, around.install.program)));
  }
  if (links.empty()) {
    links.push_back({"manifest", "", LinkState::warning,
                     "no browser that dotkey knows was found for this user"});
  }
  for (std::string const& directory : install::confined_browsers(around.install.user)) {
    links.push_back({"manifest", directory, LinkState::warning,
                     "this browser is confined by a snap or flatpak and cannot start programs"});
  }
  return links;
}

namespace {

// In user.js, or in what Firefox made of it.
bool has_preferences(std::string const& profile) {
  auto const text_in = [&](char const* name) {
    auto const text = store::read_file(profile + name, install::installed_file_size_max);
    return text ? std::string(base::text_of(*text)) : "";
  };
  std::string const user_js = text_in("/user.js");
  std::string const prefs_js = text_in("/prefs.js");
  auto const wanted = install::wanted_preferences(user_js, prefs_js);
  return std::all_of(wanted.begin(), wanted.end(), [&](auto const& preference) {
    auto const mine = install::value_of(user_js, preference.name);
    return (mine ? mine : install::value_of(prefs_js, preference.name)) == preference.value;
  });
}

}  // namespace

std::vector<Link> check_preferences(Surroundings const& around) {
  std::vector<Link> links;
  auto const browsers = install::chosen_browsers(around.install);
  if (!browsers || install::has_firefox_policy(around.install)) return links;
  for (WantedFile const& file : install::user_files(around.install, *browsers)) {
    if (install::kind_of_file(file.path) != "preferences") continue;
    bool const same = has_preferences(file.path.substr(0, file.path.rfind('/')));
    links.push_back(
        {"preferences", file.path, same ? LinkState::ok : LinkState::broken,
         same ? "names stay out of the DNS" : "this profile may ask the DNS for names below .key",
         same ? "" : install_command(around, file.browser)});
  }
  return links;
}

Link check_ca(Surroundings const& around) {
  std::string const file = around.install.state_dir + "/ca.pem";
  if (!store::exists(file)) {
    return {"ca", "", LinkState::broken, "there is no local CA yet",
            command_for(around, "install")};
  }
  auto const ca = trust::LocalCa::load(around.install.state_dir);
  if (!ca) return unusable_ca(around, ca.error());
  X509 const* const root = ca->signer().certificate.get();
  auto const now = loop::unix_now();
  std::string const until = shown_day(trust::not_after_of(root));
  if (trust::not_after_of(root) < now) {
    return {"ca", "", LinkState::broken, "it ended on " + until, command_for(around, "install")};
  }
  return {"ca", "", LinkState::ok, "valid until " + until};
}

std::vector<Link> check_trust(Surroundings const& around) {
  std::vector<Link> links;
  auto const browsers = install::chosen_browsers(around.install);
  auto const reports = install::run_trust_child(around.install.program, {},
                                                around.install.state_dir, trust_patience);
  if (!browsers || !reports) {
    std::string const text =
        text_of(reports ? base::Error(ErrorCode::install_child_failed) : reports.error());
    return {{"trust", "", LinkState::broken, text, command_for(around, "install")}};
  }
  for (install::TrustReport const& report : *reports) {
    auto const user = std::find_if(browsers->begin(), browsers->end(),
                                   [&](Browser const& b) { return b.kind == report.kind; });
    if (user == browsers->end()) continue;
    Link link{"trust", report.directory, LinkState::ok, "the local CA is trusted"};
    if (!report.trusted) {
      link.state = LinkState::broken;
      link.text = "the local CA is not trusted";
      link.command = install_command(around, user->name);
    }
    if (!report.error.empty()) {
      link.text = report.error + ": " + report.detail;
      if (report.error == base::slug_of(ErrorCode::trust_store_locked)) {
        link.text += "; remove the primary password in Firefox's settings first";
      }
    }
    links.push_back(std::move(link));
  }
  return links;
}

Link check_clock(Surroundings const& around) {
  std::int64_t const now_s = loop::unix_now().us / 1'000'000;
  std::int64_t latest_s = beginning_s;
  for (std::string const& path :
       {around.install.program, around.install.state_dir + "/ca.pem",
        around.install.state_dir + "/daemon.log", around.install.state_dir + "/packets.sqlite"}) {
    latest_s = std::max(latest_s, modified_s(path));
  }
  Link link{"clock", "", LinkState::ok, shown_day(loop::unix_now())};
  if (now_s + clock_slack_s >= latest_s) return link;
  link.state = LinkState::broken;
  link.text = "it says " + shown_day(loop::unix_now()) + ", but there are files of " +
              shown_day({latest_s * 1'000'000});
  link.command = "sudo timedatectl set-ntp true";
  return link;
}

}  // namespace dotkey::host::doctor
