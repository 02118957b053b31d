// SPDX-License-Identifier: Apache-2.0
#include "host/store/key_store.h"

#include <algorithm>
#include <filesystem>

#include "host/store/atomic_file.h"

namespace dotkey::host::store {
namespace {

using base::ErrorCode;

bool is_lower_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

base::Failure invalid_name(std::string_view name) {
  return base::fail(ErrorCode::keystore_name_invalid, std::string(name));
}

}  // namespace

bool KeyStore::is_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && is_lower_alphanumeric(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return is_lower_alphanumeric(c) || c == '.' || c == '_' || c == '-';
         });
}

std::string KeyStore::path_of(std::string_view name) const {
  return directory_ + "/" + std::string(name);
}

base::Result<std::vector<std::string>> KeyStore::names() const {
  std::vector<std::string> out;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory_, error);
  if (error == std::errc::no_such_file_or_directory) return out;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::string const name = entry->path().filename().string();
    if (is_name(name)) out.push_back(name);
  }
  if (error) return base::fail(ErrorCode::file_unreadable, directory_ + ": " + error.message());
  std::sort(out.begin(), out.end());
  return out;
}

base::Result<base::Bytes> KeyStore::read(std::string_view name) const {
  if (!is_name(name)) return invalid_name(name);
  std::string const path = path_of(name);
  if (!exists(path)) return base::fail(ErrorCode::keystore_not_found, std::string(name));
  return read_file(path, custody::key_file_size_max);
}

base::Result<custody::KeyFile> KeyStore::load(std::string_view name) const {
  auto text = read(name);
  if (!text) return tl::make_unexpected(text.error());
  auto file = custody::parse_key_file(base::text_of(*text));
  crypto::wipe(text->data(), text->size());
  if (!file) file.error().detail = path_of(name) + ": " + file.error().detail;
  return file;
}

base::Result<std::string> KeyStore::text_of(std::string_view name) const {
  auto const file = load(name);
  if (!file) return tl::make_unexpected(file.error());
  auto text = read(name);
  if (!text) return tl::make_unexpected(text.error());
  std::string out(base::text_of(*text));
  crypto::wipe(text->data(), text->size());
  return out;
}

base::Result<void> KeyStore::rename(std::string_view name, std::string_view new_name) const {
  auto text = text_of(name);
  if (!text) return tl::make_unexpected(text.error());
  // Added before the other is removed: at no time is the key in neither place.
  auto const added = add(new_name, *text);
  crypto::wipe(text->data(), text->size());
  return added ? remove(name) : added;
}

base::Result<void> KeyStore::add(std::string_view name, std::string_view text) const {
  if (!is_name(name)) return invalid_name(name);
  if (auto made = create_private_directory(directory_); !made) return made;
  auto written = write_file(path_of(name), base::view_of(text), 0600, Existing::refuse);
  if (!written && written.error().code == ErrorCode::file_exists) {
    return base::fail(ErrorCode::keystore_exists, std::string(name));
  }
  return written;
}

base::Result<void> KeyStore::remove(std::string_view name) const {
  if (!is_name(name)) return invalid_name(name);
  if (!exists(path_of(name))) {
    return base::fail(ErrorCode::keystore_not_found, std::string(name));
  }
  return remove_file(path_of(name));
}

}  // namespace dotkey::host::store
