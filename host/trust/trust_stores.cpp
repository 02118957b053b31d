// SPDX-License-Identifier: Apache-2.0
#include "host/trust/trust_stores.h"

#include <algorithm>
#include <cstdlib>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/store/atomic_file.h"
#include "host/trust/nss_database.h"

namespace dotkey::host::trust {
namespace {

using base::Result;

constexpr std::size_t profiles_ini_size_max = 1 << 20;
// Beside cert9.db where we made it. Its lines are the directories made for it, the innermost first.
constexpr char made_by_us[] = "/dotkey-made-this";

std::string_view next_line(std::string_view& text) {
  std::size_t const end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_directory(std::string const& path) {
  struct stat facts{};
  return ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

// Firefox's profiles.ini: sections [Profile…] with Path= and IsRelative=.
void add_firefox_profiles(std::string const& root, std::vector<TrustStore>& stores) {
  auto const ini = store::read_file(root + "/profiles.ini", profiles_ini_size_max);
  if (!ini) return;
  std::string path;
  bool relative = true;
  auto const add = [&] {
    if (path.empty()) return;
    std::string const directory = relative ? root + "/" + path : path;
    bool const known = std::any_of(stores.begin(), stores.end(),
                                   [&](TrustStore const& s) { return s.directory == directory; });
    if (!known && store::exists(directory + "/cert9.db")) {
      stores.push_back({StoreKind::firefox, directory, true});
    }
    path.clear();
    relative = true;
  };
  bool in_profile = false;
  for (std::string_view text = base::text_of(*ini); !text.empty();) {
    std::string_view const line = next_line(text);
    if (line.starts_with('[')) {
      add();
      in_profile = line.starts_with("[Profile");
    } else if (in_profile && line.starts_with("Path=")) {
      path = line.substr(5);
    } else if (in_profile && line.starts_with("IsRelative=")) {
      relative = line.substr(11) != "0";
    }
  }
  add();
}

// The missing directories of `path`, the innermost first.
std::vector<std::string> missing_directories(std::string path) {
  std::vector<std::string> missing;
  while (path.size() > 1 && !is_directory(path)) {
    missing.push_back(path);
    path.resize(path.rfind('/'));
  }
  return missing;
}

Result<void> make_database(std::string const& directory) {
  std::string made;
  for (std::string const& path : missing_directories(directory)) made.append(path).append("\n");
  if (auto created = store::create_private_directory(directory); !created) return created;
  return store::write_file(directory + made_by_us, base::view_of(made), 0600,
                           store::Existing::replace);
}

// Only what we made, and only where nothing else has come: rmdir refuses a directory with content.
void unmake_database(std::string const& directory) {
  auto const made = store::read_file(directory + made_by_us, profiles_ini_size_max);
  if (!made) return;
  for (char const* const name : {"/cert9.db", "/key4.db", "/pkcs11.txt", made_by_us}) {
    ::unlink((directory + name).c_str());
  }
  for (std::string_view text = base::text_of(*made); !text.empty();) {
    ::rmdir(std::string(next_line(text)).c_str());
  }
}

Result<bool> install_into(TrustStore const& store, std::vector<TrustedRoot> const& roots) {
  bool const is_new = !store::exists(store.directory + "/cert9.db");
  if (is_new) {
    if (auto made = make_database(store.directory); !made) return base::Failure(made.error());
  }
  auto database = NssDatabase::open(store.directory);
  if (!database) return base::Failure(database.error());
  auto const present = (*database)->list();
  if (!present) return base::Failure(present.error());
  bool changed = is_new;
  for (TrustedRoot const& root : roots) {
    bool const trusted = std::any_of(present->begin(), present->end(), [&](auto const& c) {
      return c.fingerprint == root.fingerprint && c.trusted_for_servers;
    });
    if (trusted) continue;
    if (auto added = (*database)->add_ca(root.der, root.name); !added) {
      return base::Failure(added.error());
    }
    changed = true;
  }
  return changed;
}

Result<bool> remove_from(TrustStore const& store, std::vector<std::string> const& fingerprints) {
  if (!store::exists(store.directory + "/cert9.db")) return false;
  bool changed = false;
  bool empty = false;
  {
    auto database = NssDatabase::open(store.directory);
    if (!database) return base::Failure(database.error());
    for (std::string const& fingerprint : fingerprints) {
      auto const removed = (*database)->remove(fingerprint);
      if (!removed) return base::Failure(removed.error());
      changed = changed || *removed;
    }
    empty = (*database)->is_empty();
  }
  if (empty) unmake_database(store.directory);
  return changed;
}

template <class Work>
std::vector<StoreOutcome> for_each_store(std::vector<TrustStore> const& stores, Work work) {
  std::vector<StoreOutcome> outcomes;
  for (TrustStore const& store : stores) {
    StoreOutcome outcome{store, std::nullopt, false};
    Result<bool> const result = work(store);
    if (result) {
      outcome.changed = *result;
    } else {
      outcome.error = result.error();
    }
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

}  // namespace

std::optional<UserDirectories> UserDirectories::current() {
  UserDirectories user;
  char const* const home = std::getenv("HOME");
  passwd const* const entry = home == nullptr ? ::getpwuid(::geteuid()) : nullptr;
  if (home != nullptr) user.home = home;
  if (entry != nullptr) user.home = entry->pw_dir;
  if (user.home.empty()) return std::nullopt;
  char const* const data = std::getenv("XDG_DATA_HOME");
  bool const usable = data != nullptr && data[0] == '/';  // else it counts as unset (XDG)
  user.data_home = usable ? data : user.home + "/.local/share";
  return user;
}

std::vector<TrustStore> find_trust_stores(UserDirectories const& user) {
  std::vector<TrustStore> stores;
  // Chromium takes the old place if it is there, else the new one, and never both.
  std::string const old_place = user.home + "/.pki/nssdb";
  std::string const place = is_directory(old_place) ? old_place : user.data_home + "/pki/nssdb";
  stores.push_back({StoreKind::chromium, place, store::exists(place + "/cert9.db")});
  std::string const snap = user.home + "/snap/chromium/current/.pki/nssdb";
  if (store::exists(snap + "/cert9.db")) stores.push_back({StoreKind::chromium, snap, true});
  for (char const* const root : {
           "/.mozilla/firefox",
           "/.config/mozilla/firefox",
           "/snap/firefox/common/.mozilla/firefox",
           "/.var/app/org.mozilla.firefox/.mozilla/firefox",
           "/.var/app/org.mozilla.firefox/config/mozilla/firefox",
       }) {
    add_firefox_profiles(user.home + root, stores);
  }
  return stores;
}

std::vector<StoreOutcome> install_roots(std::vector<TrustStore> const& stores,
                                        std::vector<TrustedRoot> const& roots) {
  return for_each_store(stores, [&](TrustStore const& s) { return install_into(s, roots); });
}

std::vector<StoreOutcome> remove_roots(std::vector<TrustStore> const& stores,
                                       std::vector<std::string> const& fingerprints) {
  return for_each_store(stores, [&](TrustStore const& s) { return remove_from(s, fingerprints); });
}

}  // namespace dotkey::host::trust
