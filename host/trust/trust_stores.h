// SPDX-License-Identifier: Apache-2.0
// The browsers' trust stores of one user: where they are, and our roots in and out of all of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/trust/local_ca.h"

namespace dotkey::host::trust {

enum class StoreKind : std::uint8_t { chromium, firefox };

struct TrustStore {
  StoreKind kind;
  std::string directory;  // of cert9.db
  bool exists = true;     // false: install makes it
};

// The user's own directories; a test names others.
struct UserDirectories {
  std::string home;
  std::string data_home;  // $XDG_DATA_HOME, else ~/.local/share
  static std::optional<UserDirectories> current();
};

// Chromium's database (which may not exist yet) and that of every Firefox profile, from Debian's,
// Mozilla's, snap's and flatpak's places; each directory once.
std::vector<TrustStore> find_trust_stores(UserDirectories const& user);

struct StoreOutcome {
  TrustStore store;
  std::optional<base::Error> error;
  bool changed = false;
};

// Not for the daemon's own process: see NssDatabase. Stores fail one by one.
// Trusts each of `roots` in each store; what is there already stays as it is.
std::vector<StoreOutcome> install_roots(std::vector<TrustStore> const& stores,
                                        std::vector<TrustedRoot> const& roots);
// Removes exactly these fingerprints. A database that install_roots() made goes away again, with
// the directories made for it, when nothing else has come into it.
std::vector<StoreOutcome> remove_roots(std::vector<TrustStore> const& stores,
                                       std::vector<std::string> const& fingerprints);

}  // namespace dotkey::host::trust
