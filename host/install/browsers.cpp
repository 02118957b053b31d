// SPDX-License-Identifier: Apache-2.0
#include "host/install/browsers.h"

#include <algorithm>

#include <unistd.h>

#include "host/store/atomic_file.h"

namespace dotkey::host::install {
namespace {

Browser chromium_family(Directories const& user, std::string name, std::string const& below,
                        std::string system_manifests, std::vector<std::string> programs) {
  std::string const own = user.config_home + below;
  return {std::move(name),
          BrowserKind::chromium,
          own,
          own + "/NativeMessagingHosts",
          std::move(system_manifests),
          std::move(programs)};
}

bool is_on_path(std::string const& program, std::string_view search_path) {
  while (!search_path.empty()) {
    std::size_t const end = std::min(search_path.find(':'), search_path.size());
    std::string file(search_path.substr(0, end));
    file.append("/").append(program);
    if (::access(file.c_str(), X_OK) == 0) return true;
    search_path.remove_prefix(std::min(end + 1, search_path.size()));
  }
  return false;
}

}  // namespace

// Firefox keeps its native hosts in ~/.mozilla even where its profiles are below XDG_CONFIG_HOME
// (observed with 153). The portal that snap and flatpak Firefox use looks there too.
std::vector<Browser> known_browsers(Directories const& user) {
  return {
      chromium_family(user, "chromium", "/chromium", "/etc/chromium/native-messaging-hosts",
                      {"chromium", "chromium-browser"}),
      chromium_family(user, "chrome", "/google-chrome", "/etc/opt/chrome/native-messaging-hosts",
                      {"google-chrome", "google-chrome-stable"}),
      chromium_family(user, "edge", "/microsoft-edge", "/etc/opt/edge/native-messaging-hosts",
                      {"microsoft-edge", "microsoft-edge-stable"}),
      chromium_family(user, "brave", "/BraveSoftware/Brave-Browser", "",
                      {"brave", "brave-browser"}),
      {"firefox",
       BrowserKind::firefox,
       user.home + "/.mozilla/firefox",
       user.home + "/.mozilla/native-messaging-hosts",
       "/usr/lib/mozilla/native-messaging-hosts",
       {"firefox", "firefox-esr"}},
  };
}

bool is_present(Browser const& browser, std::string_view search_path) {
  return store::exists(browser.own_directory) ||
         std::any_of(browser.programs.begin(), browser.programs.end(),
                     [&](auto const& program) { return is_on_path(program, search_path); });
}

std::vector<std::string> confined_browsers(Directories const& user) {
  std::vector<std::string> found;
  for (char const* const place :
       {"/snap/chromium", "/.var/app/org.chromium.Chromium", "/.var/app/com.google.Chrome",
        "/.var/app/com.brave.Browser", "/.var/app/com.microsoft.Edge"}) {
    if (store::exists(user.home + place)) found.push_back(user.home + place);
  }
  return found;
}

}  // namespace dotkey::host::install
