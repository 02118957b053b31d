// SPDX-License-Identifier: Apache-2.0
// The configuration file: TOML whose every key is known, or the line is named.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

#include "host/cli/options.h"

namespace dotkey::host::cli {

// Absent values were not in the file.
struct Config {
  std::vector<std::string> bootstrap;
  std::vector<std::string> relays;
  std::optional<bool> dht;
  std::optional<bool> allow_local_network;
  std::optional<std::int64_t> timeout_s;
  std::optional<std::string> state_dir;
  DaemonOptions daemon;
  DnsOptions dns;
};

// `file` is for messages. Errors: config_malformed, config_unknown_key, number_out_of_range and
// those of the values' own types, with file, line and key in the detail.
base::Result<Config> parse_config(std::string const& file, std::string_view text);

// `named` by the user, else `fallback`, which may be missing. Errors: as above; file_unreadable.
base::Result<Config> load_config(std::string const& named, std::string const& fallback);

}  // namespace dotkey::host::cli
