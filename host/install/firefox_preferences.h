// SPDX-License-Identifier: Apache-2.0
// The preferences that keep Firefox from asking the DNS about `.key` hosts, as text of user.js
// (what we write) and prefs.js (where Firefox copies it when it starts).
//
// Before an `http://` page loads, Firefox asks for the HTTPS record of its host, and no extension
// or proxy is asked first. Without these, the name leaks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dotkey::host::install {

struct FirefoxPreference {
  std::string name;
  std::string value;  // as in the file: `false`, `"key"`
};

// The value of the last user_pref() line for `name`, as it stands there.
std::optional<std::string> value_of(std::string_view preferences, std::string_view name);

// What dotkey needs, given what a profile has: its list of names that never go to DNS over HTTPS is
// kept and added to. `user_js` wins over `prefs_js`, as in Firefox.
std::vector<FirefoxPreference> wanted_preferences(std::string_view user_js,
                                                  std::string_view prefs_js);

// `user_js` with these lines at its end, between two comments; an older block of ours goes.
std::string with_block(std::string_view user_js, std::vector<FirefoxPreference> const& wanted);
std::string without_block(std::string_view user_js);
// The preferences in our block.
std::vector<FirefoxPreference> block_of(std::string_view user_js);

// `prefs_js` with each preference that still has the value of `ours` back at its value in
// `before`, or without it where `before` has none.
std::string restore(std::string_view prefs_js, std::vector<FirefoxPreference> const& ours,
                    std::vector<FirefoxPreference> const& before);

// A Firefox that has this profile open; it would write prefs.js anew when it ends.
bool is_profile_in_use(std::string const& profile);

}  // namespace dotkey::host::install
