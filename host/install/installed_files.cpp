// SPDX-License-Identifier: Apache-2.0
#include "host/install/installed_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"

#include "host/store/atomic_file.h"

namespace dotkey::host::install {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::size_t list_size_max = 64 * 1024 * 1024;

struct Found {
  base::Bytes content;
  unsigned mode = 0644;
};

Result<std::optional<Found>> look(std::string const& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<Found>{};
    return base::fail(ErrorCode::file_unreadable, path + ": " + std::strerror(errno));
  }
  auto content = store::read_file(path, installed_file_size_max);
  if (!content) return base::Failure(content.error());
  return std::optional<Found>{{std::move(*content), facts.st_mode & 07777U}};
}

// The missing parents of `path`, the innermost first.
std::vector<std::string> missing_parents(std::string path) {
  std::vector<std::string> missing;
  for (;;) {
    path.resize(path.rfind('/'));
    if (path.empty() || store::exists(path)) return missing;
    missing.push_back(path);
  }
}

Result<void> make_directories(std::vector<std::string> const& missing, unsigned mode) {
  for (auto path = missing.rbegin(); path != missing.rend(); ++path) {
    if (::mkdir(path->c_str(), mode) != 0 && errno != EEXIST) {
      return base::fail(ErrorCode::file_unwritable, *path + ": " + std::strerror(errno));
    }
  }
  return {};
}

std::string encode(base::ByteView bytes) {
  return base::encode_base64(bytes, base::Base64Alphabet::standard);
}

boost::json::array to_json(std::vector<std::string> const& directories) {
  boost::json::array list;
  for (std::string const& directory : directories) list.emplace_back(directory);
  return list;
}

boost::json::object to_json(InstalledFile const& file) {
  boost::json::array preferences;
  for (FirefoxPreference const& preference : file.preferences_before) {
    preferences.push_back({{"name", preference.name}, {"value", preference.value}});
  }
  boost::json::object entry{{"path", file.path},
                            {"browser", file.browser},
                            {"written", encode(file.written)},
                            {"made_directories", to_json(file.made_directories)},
                            {"preferences_before", std::move(preferences)}};
  if (file.previous) {
    entry["previous"] = encode(*file.previous);
    entry["previous_mode"] = file.previous_mode;
  }
  return entry;
}

bool read_bytes(boost::json::object const& entry, char const* name, base::Bytes& out) {
  auto const* const value = entry.if_contains(name);
  if (value == nullptr || !value->is_string()) return false;
  auto decoded =
      base::parse_base64(std::string_view(value->get_string()), base::Base64Alphabet::standard);
  if (!decoded) return false;
  out = std::move(*decoded);
  return true;
}

bool read_text(boost::json::object const& entry, char const* name, std::string& out) {
  auto const* const value = entry.if_contains(name);
  if (value == nullptr || !value->is_string()) return false;
  out = std::string_view(value->get_string());
  return true;
}

bool read_previous(boost::json::object const& entry, InstalledFile& file) {
  if (!entry.contains("previous")) return true;
  auto const* const mode = entry.if_contains("previous_mode");
  base::Bytes previous;
  if (!read_bytes(entry, "previous", previous) || mode == nullptr || !mode->is_int64()) {
    return false;
  }
  file.previous = std::move(previous);
  file.previous_mode = static_cast<unsigned>(mode->get_int64()) & 07777U;
  return true;
}

bool read_directories(boost::json::object const& entry, std::vector<std::string>& directories) {
  auto const* const made = entry.if_contains("made_directories");
  if (made == nullptr || !made->is_array()) return false;
  for (auto const& directory : made->get_array()) {
    if (!directory.is_string()) return false;
    directories.emplace_back(std::string_view(directory.get_string()));
  }
  return true;
}

bool read_preferences(boost::json::object const& entry, InstalledFile& file) {
  auto const* const list = entry.if_contains("preferences_before");
  if (list == nullptr || !list->is_array()) return false;
  for (auto const& item : list->get_array()) {
    FirefoxPreference preference;
    if (!item.is_object() || !read_text(item.get_object(), "name", preference.name) ||
        !read_text(item.get_object(), "value", preference.value)) {
      return false;
    }
    file.preferences_before.push_back(std::move(preference));
  }
  return true;
}

std::optional<InstalledFile> parse_file(boost::json::value const& value) {
  auto const* const entry = value.if_object();
  InstalledFile file;
  bool const sound = entry != nullptr && read_text(*entry, "path", file.path) &&
                     file.path.starts_with('/') && read_text(*entry, "browser", file.browser) &&
                     read_bytes(*entry, "written", file.written) && read_previous(*entry, file) &&
                     read_directories(*entry, file.made_directories) &&
                     read_preferences(*entry, file);
  if (!sound) return std::nullopt;
  return file;
}

// Only directories that are empty again go.
void remove_made_directories(InstalledFile const& file) {
  for (std::string const& directory : file.made_directories) ::rmdir(directory.c_str());
}

}  // namespace

Result<void> rewrite_file(std::string const& path, std::string_view content) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) {
    return base::fail(ErrorCode::file_unreadable, path + ": " + std::strerror(errno));
  }
  return store::write_file(path, base::view_of(content), facts.st_mode & 07777U,
                           store::Existing::replace);
}

Result<InstalledFiles> InstalledFiles::load(std::string const& list_path, unsigned directory_mode) {
  InstalledFiles list(list_path, directory_mode);
  if (!store::exists(list_path)) return list;
  auto const text = store::read_file(list_path, list_size_max);
  if (!text) return base::Failure(text.error());
  if (auto parsed = list.parse(base::text_of(*text)); !parsed) {
    return base::Failure(parsed.error());
  }
  return list;
}

Result<void> InstalledFiles::parse(std::string_view json) {
  boost::system::error_code error;
  boost::json::value const value = boost::json::parse(json, error);
  auto const* const root = error ? nullptr : value.if_object();
  auto const* const files = root == nullptr ? nullptr : root->if_contains("files");
  if (files == nullptr || !files->is_array() || !read_directories(*root, made_directories_)) {
    return base::fail(ErrorCode::install_list_malformed, path_);
  }
  for (auto const& entry : files->get_array()) {
    auto file = parse_file(entry);
    if (!file) return base::fail(ErrorCode::install_list_malformed, path_);
    files_.push_back(std::move(*file));
  }
  return {};
}

Result<void> InstalledFiles::save() {
  if (files_.empty()) {
    return store::exists(path_) ? store::remove_file(path_) : Result<void>{};
  }
  std::vector<std::string> const missing = missing_parents(path_);
  if (made_directories_.empty()) made_directories_ = missing;
  if (auto made = make_directories(missing, directory_mode_); !made) return made;
  boost::json::array files;
  for (InstalledFile const& file : files_) files.push_back(to_json(file));
  std::string const text = boost::json::serialize(boost::json::object{
      {"made_directories", to_json(made_directories_)}, {"files", std::move(files)}});
  return store::write_file(path_, base::view_of(text), 0600, store::Existing::replace);
}

InstalledFile const* InstalledFiles::find(std::string const& path) const {
  auto const found = std::find_if(files_.begin(), files_.end(),
                                  [&](InstalledFile const& f) { return f.path == path; });
  return found == files_.end() ? nullptr : &*found;
}

Result<Change> InstalledFiles::compare(WantedFile const& wanted) {
  auto const before = look(wanted.path);
  if (!before) return base::Failure(before.error());
  bool const same = *before && base::text_of((*before)->content) == wanted.content;
  return same ? Change::none : Change::made;
}

Result<Change> InstalledFiles::put(WantedFile const& wanted) {
  auto before = look(wanted.path);
  if (!before) return base::Failure(before.error());
  if (*before && base::text_of((*before)->content) == wanted.content) return Change::none;
  auto known = std::find_if(files_.begin(), files_.end(),
                            [&](InstalledFile const& f) { return f.path == wanted.path; });
  unsigned const mode = *before ? (*before)->mode : 0644;
  if (known == files_.end()) {
    InstalledFile file;
    file.path = wanted.path;
    file.browser = wanted.browser;
    file.made_directories = missing_parents(wanted.path);
    file.preferences_before = wanted.preferences_before;
    if (*before) {
      file.previous = std::move((*before)->content);
      file.previous_mode = mode;
    }
    known = files_.insert(files_.end(), std::move(file));
  }
  known->written = base::to_bytes(wanted.content);
  if (auto saved = save(); !saved) return base::Failure(saved.error());
  auto made = make_directories(missing_parents(wanted.path), wanted.directory_mode);
  if (!made) return base::Failure(made.error());
  auto written =
      store::write_file(wanted.path, base::view_of(wanted.content), mode, store::Existing::replace);
  if (!written) return base::Failure(written.error());
  return Change::made;
}

Result<Change> InstalledFiles::take_back(std::string const& path) {
  InstalledFile const* const file = find(path);
  if (file == nullptr) return Change::none;
  auto const now = look(path);
  if (!now) return base::Failure(now.error());
  Change change = Change::made;
  if (*now && (*now)->content != file->written) {
    // Back to what it was already, or changed by somebody else.
    change = (*now)->content == file->previous ? Change::none : Change::foreign;
  } else if (file->previous) {
    auto written =
        store::write_file(path, *file->previous, file->previous_mode, store::Existing::replace);
    if (!written) return base::Failure(written.error());
  } else if (*now) {
    if (auto removed = store::remove_file(path); !removed) return base::Failure(removed.error());
  } else {
    change = Change::none;
  }
  remove_made_directories(*file);
  if (auto forgotten = forget(path); !forgotten) return base::Failure(forgotten.error());
  return change;
}

Result<void> InstalledFiles::forget(std::string const& path) {
  std::erase_if(files_, [&](InstalledFile const& f) { return f.path == path; });
  return save();
}

}  // namespace dotkey::host::install
