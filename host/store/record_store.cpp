// SPDX-License-Identifier: Apache-2.0
#include "host/store/record_store.h"

#include <filesystem>

#include "core/base/integers.h"
#include "core/base/text.h"

#include "host/store/atomic_file.h"

namespace dotkey::host::store {
namespace {

// pkarr's form for caches: eight bytes of time seen, then at most 1,104 of packet.
constexpr std::size_t record_file_size_max = 8 + 1104;

}  // namespace

std::string RecordStore::path_of(crypto::PublicKey const& key) const {
  return directory_ + "/" + base::encode_zbase32(key.view());
}

std::optional<RecordStore::Seen> RecordStore::load(crypto::PublicKey const& key) const {
  auto const file = read_file(path_of(key), record_file_size_max);
  if (!file || file->size() < 8) return std::nullopt;
  Seen out;
  out.at.us = static_cast<std::int64_t>(base::read_be<std::uint64_t>(*file));
  out.packet = base::to_bytes(base::ByteView(*file).subspan(8));
  return out;
}

base::Result<void> RecordStore::save(crypto::PublicKey const& key, engine::UnixTime now,
                                     base::ByteView packet) const {
  if (auto made = create_private_directory(directory_); !made) return made;
  std::string const path = path_of(key);
  if (!exists(path)) forget_oldest();
  base::Bytes content;
  base::append_be(content, static_cast<std::uint64_t>(now.us));
  base::append(content, packet);
  return write_file(path, content, 0600, Existing::replace);
}

void RecordStore::forget_oldest() const {
  namespace fs = std::filesystem;
  std::error_code error;
  std::size_t count = 0;
  fs::path oldest;
  fs::file_time_type oldest_time = fs::file_time_type::max();
  for (fs::directory_iterator entry(directory_, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code unreadable;
    auto const time = entry->last_write_time(unreadable);
    ++count;
    if (!unreadable && time < oldest_time) {
      oldest_time = time;
      oldest = entry->path();
    }
  }
  if (count >= records_max) fs::remove(oldest, error);
}

}  // namespace dotkey::host::store
