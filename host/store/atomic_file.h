// SPDX-License-Identifier: Apache-2.0
// Files that are whole or not there: kill -9 or a power cut at any moment leaves the old content or
// the new one, never a mixture and never a file with wider permissions than asked for.
#pragma once

#include <cstddef>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace dotkey::host::store {

// Reads a regular file of at most `size_max` bytes. Errors: file_unreadable (the detail names the
// path and the system's reason).
base::Result<base::Bytes> read_file(std::string const& path, std::size_t size_max);

enum class Existing : std::uint8_t {
  replace,
  refuse,  // error file_exists; atomic also against a second writer
};

// Writes a temporary file beside `path`, syncs it, moves it to `path` and syncs the directory.
// `mode` are permission bits such as 0600; the umask only narrows them. Errors: file_unwritable,
// file_exists.
base::Result<void> write_file(std::string const& path, base::ByteView content, unsigned mode,
                              Existing existing);

// Removes a file and syncs its directory. Errors: file_unwritable.
base::Result<void> remove_file(std::string const& path);

// Creates `path` and its missing parents, each with mode 0700; what exists is left as it is.
// Errors: file_unwritable.
base::Result<void> create_private_directory(std::string const& path);

// Creates an empty file of mode 0600 and its missing directories, unless it is there. Errors:
// file_unwritable.
base::Result<void> create_private_file(std::string const& path);

bool exists(std::string const& path);

}  // namespace dotkey::host::store
