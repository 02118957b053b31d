// SPDX-License-Identifier: Apache-2.0
// What every command takes, from the configuration file and, before it, the command line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/engine/time.h"

#include "host/store/paths.h"

namespace dotkey::host::cli {

// What the command line itself says of the network.
struct NamedNetwork {
  bool bootstrap = false;
  bool relays = false;
  bool no_dht = false;
};

// The tables [daemon] and [relays] of the configuration.
struct DaemonOptions {
  std::uint16_t dht_port = 0;  // 0: a free one
  std::uint64_t packets_max = 1'000'000;
  std::uint32_t cache_entries_max = 20'000;
  std::int64_t republish_interval_s = 3600;
  bool republish_to_relays = false;
};

// The options of `dotkey dns`, and the table [dns]: what the daemon serves where it listens.
struct DnsOptions {
  // "ADDRESS:PORT"; port 0 lets the system choose.
  std::vector<std::string> listen;
  std::vector<std::string> listen_tls;
  std::vector<std::string> listen_https;
  std::string metrics;      // likewise
  std::string certificate;  // PEM files
  std::string key;
  std::vector<std::string> allow;    // prefixes
  std::vector<std::string> forward;  // as dns::Upstream::parse
  std::string forward_authorities;
  std::vector<std::string> zones;       // "APEX=FILE"
  std::vector<std::string> deny_files;  // names, one a line
  std::vector<std::string> except_files;
  std::string query_log;
  std::uint32_t threads = 0;  // 0: one

  bool operator==(DnsOptions const&) const = default;
  [[nodiscard]] bool has_listen() const {
    return !listen.empty() || !listen_tls.empty() || !listen_https.empty();
  }
};

struct Options {
  bool json = false;
  std::string config_file;             // empty: the default one, which may be missing
  std::string state_dir;               // empty: from the environment
  std::vector<std::string> bootstrap;  // empty: the public network
  std::vector<std::string> relays;
  bool no_dht = false;
  bool allow_local_network = false;
  std::optional<std::int64_t> timeout_s;
  NamedNetwork named;
  DaemonOptions daemon;
  DnsOptions dns;

  static constexpr std::int64_t timeout_s_default = 30;
  static constexpr std::int64_t timeout_s_max = 3600;

  [[nodiscard]] engine::Duration timeout() const {
    return engine::Duration::from_s(timeout_s.value_or(timeout_s_default));
  }
  [[nodiscard]] engine::Instant deadline_from(engine::Instant start) const {
    return start + timeout();
  }
};

// Fills what the command line left open from the configuration file, and checks the rest. Errors:
// those of load_config(); address_malformed, relay_url_malformed, number_out_of_range.
base::Result<void> complete_options(Options& options, store::Paths& paths);

// What differs and a daemon takes at its start only, by its name in the configuration file.
std::vector<std::string_view> start_options_changed(Options const& before, Options const& after);

}  // namespace dotkey::host::cli
