// SPDX-License-Identifier: Apache-2.0
#include "host/store/dht_state.h"

#include "host/store/atomic_file.h"
#include "host/store/paths.h"

namespace dotkey::host::store {

std::string dht_state_path(std::string const& state_dir, std::span<std::string const> bootstrap) {
  return network_path(state_dir, "dht", bootstrap, ".state");
}

base::Bytes load_dht_state(std::string const& path) {
  constexpr std::size_t state_size_max = 64 * 1024;
  auto state = read_file(path, state_size_max);
  return state ? std::move(*state) : base::Bytes();
}

base::Result<void> save_dht_state(std::string const& path, base::ByteView state) {
  std::size_t const slash = path.rfind('/');
  if (auto made = create_private_directory(path.substr(0, slash)); !made) return made;
  return write_file(path, state, 0600, Existing::replace);
}

}  // namespace dotkey::host::store
