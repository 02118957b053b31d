// SPDX-License-Identifier: Apache-2.0
#include "host/install/wanted_files.h"

#include <algorithm>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "host/install/manifest_templates.h"
#include "host/store/atomic_file.h"

namespace dotkey::host::install {
namespace {

using base::ErrorCode;
using base::Result;

constexpr char firefox_policies[] = "/etc/firefox/policies/policies.json";
constexpr char chromium_flags_directory[] = "/etc/chromium.d";

// Absent files are empty ones.
std::string text_in(std::string const& path) {
  auto const text = store::read_file(path, installed_file_size_max);
  return text ? std::string(base::text_of(*text)) : "";
}

WantedFile preferences_of(std::string const& profile) {
  std::string const user_js = text_in(profile + "/user.js");
  std::string const prefs_js = text_in(profile + "/prefs.js");
  auto const wanted = wanted_preferences(without_block(user_js), prefs_js);
  WantedFile file{profile + "/user.js", "firefox", with_block(user_js, wanted), 0700, {}};
  for (FirefoxPreference const& preference : wanted) {
    if (auto value = value_of(prefs_js, preference.name)) {
      file.preferences_before.push_back({preference.name, std::move(*value)});
    }
  }
  return file;
}

boost::json::object& object_at(boost::json::object& parent, std::string_view name) {
  boost::json::value& value = parent[name];
  if (!value.is_object()) value = boost::json::object();
  return value.get_object();
}

// "default": the user's own choice stands, and nothing is written into profiles.
Result<std::string> with_policy(std::string const& path) {
  boost::json::object root;
  if (store::exists(path)) {
    auto const text = store::read_file(path, installed_file_size_max);
    if (!text) return base::Failure(text.error());
    boost::system::error_code error;
    boost::json::value value = boost::json::parse(base::text_of(*text), error);
    if (error || !value.is_object()) return base::fail(ErrorCode::install_policy_malformed, path);
    root = std::move(value.get_object());
  }
  boost::json::object& preferences = object_at(object_at(root, "policies"), "Preferences");
  for (FirefoxPreference const& preference : wanted_preferences("", "")) {
    if (preferences.contains(preference.name)) continue;
    boost::json::object entry{{"Status", "default"}};
    entry["Value"] = boost::json::parse(preference.value);
    preferences[preference.name] = std::move(entry);
  }
  return boost::json::serialize(root) + "\n";
}

// systemd-resolved sends what ends in `.key` to the DNS server of `dotkey dns` or the daemon
// (resolved.conf(5)).
constexpr char resolved_route[] = "/etc/systemd/resolved.conf.d/dotkey.conf";
constexpr std::string_view resolved_route_text =
    "# By `dotkey install --dns`; `dotkey uninstall --system` removes it.\n"
    "[Resolve]\n"
    "DNS=127.0.0.1:5300\n"
    "Domains=~key\n";
// The root's signatures say that there is no `key`; where resolved checks them, it is not to do so
// here (dnssec-trust-anchors.d(5)).
constexpr char resolved_anchor[] = "/etc/dnssec-trust-anchors.d/dotkey.negative";
constexpr std::string_view resolved_anchor_text = "key\n";

}  // namespace

Result<std::vector<Browser>> chosen_browsers(Settings const& settings) {
  std::vector<Browser> browsers = known_browsers(settings.user);
  if (settings.browser.empty()) {
    std::erase_if(browsers, [&](Browser const& browser) {
      return !is_present(browser, settings.search_path);
    });
    return browsers;
  }
  std::erase_if(browsers, [&](Browser const& b) { return b.name != settings.browser; });
  if (browsers.empty()) return base::fail(ErrorCode::install_browser_unknown, settings.browser);
  return browsers;
}

std::string list_path_of(Settings const& settings) {
  if (settings.system) return settings.root + "/var/lib/dotkey/installation.json";
  return settings.state_dir + "/installation.json";
}

std::string manifest_for(Browser const& browser, std::string const& program) {
  bool const firefox = browser.kind == BrowserKind::firefox;
  std::string text(firefox ? firefox_manifest_template : chromium_manifest_template);
  constexpr std::string_view placeholder = "@DOTKEY_PROGRAM@";
  text.replace(text.find(placeholder), placeholder.size(),
               boost::json::serialize(boost::json::string(program)));
  return text;
}

std::vector<WantedFile> user_files(Settings const& settings, std::vector<Browser> const& browsers) {
  std::vector<WantedFile> files;
  for (Browser const& browser : browsers) {
    files.push_back({browser.user_manifests + manifest_name,
                     browser.name,
                     manifest_for(browser, settings.program),
                     0700,
                     {}});
    if (browser.kind != BrowserKind::firefox) continue;
    for (trust::TrustStore const& store : trust::find_trust_stores(settings.trust_user)) {
      if (store.kind == trust::StoreKind::firefox) files.push_back(preferences_of(store.directory));
    }
  }
  return files;
}

Result<std::vector<WantedFile>> system_files(Settings const& settings,
                                             std::vector<Browser> const& browsers) {
  std::vector<WantedFile> files;
  auto const add = [&](std::string const& path, std::string const& browser, std::string content) {
    files.push_back({settings.root + path, browser, std::move(content), 0755, {}});
  };
  for (Browser const& browser : browsers) {
    if (browser.system_manifests.empty()) continue;
    add(browser.system_manifests + manifest_name, browser.name,
        manifest_for(browser, settings.program));
    if (browser.kind == BrowserKind::firefox) {
      auto policy = with_policy(settings.root + firefox_policies);
      if (!policy) return base::Failure(policy.error());
      add(firefox_policies, browser.name, std::move(*policy));
    }
    if (browser.name == "chromium" && store::exists(settings.root + chromium_flags_directory)) {
      add(std::string(chromium_flags_directory) + "/dotkey", browser.name,
          std::string(chromium_flags));
    }
  }
  if (settings.dns) {
    add(resolved_route, "", std::string(resolved_route_text));
    add(resolved_anchor, "", std::string(resolved_anchor_text));
  }
  return files;
}

bool has_firefox_policy(Settings const& settings) {
  std::string const path = settings.root + firefox_policies;
  auto const policy = with_policy(path);
  return store::exists(path) && policy && *policy == text_in(path);
}

std::string kind_of_file(std::string const& path) {
  if (path.ends_with(resolved_route) || path.ends_with(resolved_anchor)) return "dns";
  if (path.ends_with("/user.js")) return "preferences";
  if (path.ends_with(firefox_policies)) return "policy";
  return path.ends_with(manifest_name) ? "manifest" : "flags";
}

}  // namespace dotkey::host::install
