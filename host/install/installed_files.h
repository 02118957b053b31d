// SPDX-License-Identifier: Apache-2.0
// Files that dotkey put onto this system or changed there, each with what was there before, so that
// all of it can be taken back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

#include "host/install/firefox_preferences.h"

namespace dotkey::host::install {

inline constexpr std::size_t installed_file_size_max = 4 * 1024 * 1024;

// Everything about one file that has to be known to undo the change.
struct InstalledFile {
  std::string path;
  std::string browser;
  base::Bytes written;
  std::optional<base::Bytes> previous;  // absent: there was no such file
  unsigned previous_mode = 0;
  std::vector<std::string> made_directories;  // the innermost first
  // For a user.js: what the profile's prefs.js had of the preferences in it.
  std::vector<FirefoxPreference> preferences_before;
};

// What a file should hold.
struct WantedFile {
  std::string path;
  std::string browser;
  std::string content;
  unsigned directory_mode = 0700;
  std::vector<FirefoxPreference> preferences_before;
};

enum class Change : std::uint8_t { none, made, foreign };

// Another content for a file that exists; its mode stays. Errors: file_unreadable, file_unwritable.
base::Result<void> rewrite_file(std::string const& path, std::string_view content);

// The list lives in one file, which is written before anything else is changed.
class InstalledFiles {
 public:
  // A missing list is an empty one; `directory_mode` is for directories that have to be made for
  // it. Errors: install_list_malformed, file_unreadable.
  static base::Result<InstalledFiles> load(std::string const& list_path,
                                           unsigned directory_mode = 0700);

  [[nodiscard]] std::vector<InstalledFile> const& files() const { return files_; }
  // Directories made for the list itself, the innermost first.
  [[nodiscard]] std::vector<std::string> const& made_directories() const {
    return made_directories_;
  }
  // Null: this file is not ours.
  [[nodiscard]] InstalledFile const* find(std::string const& path) const;

  // `none` for a file that holds the content already; else what put() would do.
  [[nodiscard]] static base::Result<Change> compare(WantedFile const& wanted);
  // Writes it with mode 0644, or the mode that the file has. A file that holds the content already
  // is left alone, and not taken into the list. Errors: file_unreadable, file_unwritable.
  base::Result<Change> put(WantedFile const& wanted);
  // The file as it was before, if it holds what was written; else `foreign`, and it stays as it is.
  // Either way it leaves the list.
  base::Result<Change> take_back(std::string const& path);
  // The file was undone in another way.
  base::Result<void> forget(std::string const& path);

 private:
  InstalledFiles(std::string path, unsigned directory_mode)
      : path_(std::move(path)), directory_mode_(directory_mode) {}

  base::Result<void> parse(std::string_view json);
  [[nodiscard]] base::Result<void> save();

  std::string path_;
  unsigned directory_mode_;
  std::vector<std::string> made_directories_;
  std::vector<InstalledFile> files_;
};

}  // namespace dotkey::host::install
