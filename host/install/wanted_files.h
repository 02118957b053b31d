// SPDX-License-Identifier: Apache-2.0
// Which files an installation consists of.
#pragma once

#include <string>
#include <vector>

#include "host/install/install.h"
#include "host/install/installed_files.h"

namespace dotkey::host::install {

inline constexpr char manifest_name[] = "/org.dotkey.host.json";

// The browsers that are meant. Errors: install_browser_unknown.
base::Result<std::vector<Browser>> chosen_browsers(Settings const& settings);

// Where the list of installed files is.
std::string list_path_of(Settings const& settings);

std::string manifest_for(Browser const& browser, std::string const& program);

// For one user: manifests, and the preferences of each Firefox profile.
std::vector<WantedFile> user_files(Settings const& settings, std::vector<Browser> const& browsers);
// For all users: manifests, a policy for Firefox, a flag for Debian's Chromium. Errors:
// install_policy_malformed where a policy file is no JSON object; file_unreadable.
base::Result<std::vector<WantedFile>> system_files(Settings const& settings,
                                                   std::vector<Browser> const& browsers);

// The administrator's policy sets Firefox's preferences for everybody.
bool has_firefox_policy(Settings const& settings);

// "manifest", "preferences", "policy" or "flags".
std::string kind_of_file(std::string const& path);

}  // namespace dotkey::host::install
