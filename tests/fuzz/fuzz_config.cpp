// SPDX-License-Identifier: Apache-2.0
#include "core/base/assert.h"

#include "host/cli/config.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size > 64 * 1024) return 0;  // load_config() reads no more
  auto const config =
      dotkey::host::cli::parse_config("config.toml", {reinterpret_cast<char const*>(data), size});
  if (!config) {
    // A person is told where to look.
    DOTKEY_ASSERT(config.error().detail.starts_with("config.toml, line "));
    return 0;
  }
  auto const& daemon = config->daemon;
  DOTKEY_ASSERT(daemon.republish_interval_s >= 10 && daemon.republish_interval_s <= 7200);
  DOTKEY_ASSERT(daemon.packets_max >= 1 && daemon.cache_entries_max >= 1);
  return 0;
}
