// SPDX-License-Identifier: Apache-2.0
#include "host/store/dht_state.h"

#include <algorithm>
#include <vector>

#include "core/base/text.h"
#include "core/crypto/hash.h"

#include "host/store/atomic_file.h"

namespace dotkey::host::store {

std::string dht_state_path(std::string const& state_dir, std::span<std::string const> bootstrap) {
  if (bootstrap.empty()) return state_dir + "/dht.state";
  std::vector<std::string> names(bootstrap.begin(), bootstrap.end());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string joined;
  for (std::string const& name : names) joined += name + "\n";
  auto const hash = crypto::sha256({base::view_of(joined)});
  return state_dir + "/dht-" + base::encode_hex(base::ByteView(hash).first(8)) + ".state";
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
