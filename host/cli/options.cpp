// SPDX-License-Identifier: Apache-2.0
#include "host/cli/options.h"

#include <string_view>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "host/loop/name_lookup.h"
#include "host/store/atomic_file.h"

namespace dotkey::host::cli {
namespace {

using base::ErrorCode;

// The configuration file; absent values were not in it.
struct Config {
  std::vector<std::string> bootstrap;
  std::vector<std::string> relays;
  std::optional<bool> dht;
  std::optional<bool> allow_local_network;
  std::optional<std::int64_t> timeout_s;
  std::optional<std::string> state_dir;
};

std::string place_of(std::string const& file, toml::source_region const& region) {
  return file + ", line " + std::to_string(region.begin.line) + ", column " +
         std::to_string(region.begin.column) + ": ";
}

template <class T>
bool read_value(toml::node const& node, std::optional<T>& out) {
  out = node.value_exact<T>();
  return out.has_value();
}

bool read_list(toml::node const& node, std::vector<std::string>& out) {
  toml::array const* const array = node.as_array();
  if (array == nullptr) return false;
  for (toml::node const& element : *array) {
    auto text = element.value_exact<std::string>();
    if (!text) return false;
    out.push_back(std::move(*text));
  }
  return true;
}

base::Result<void> read_entry(std::string const& file, toml::key const& key, toml::node const& node,
                              Config& config) {
  std::string_view const name = key.str();
  bool fits = false;
  if (name == "bootstrap") {
    fits = read_list(node, config.bootstrap);
  } else if (name == "relays") {
    fits = read_list(node, config.relays);
  } else if (name == "dht") {
    fits = read_value(node, config.dht);
  } else if (name == "allow_local_network") {
    fits = read_value(node, config.allow_local_network);
  } else if (name == "timeout_s") {
    fits = read_value(node, config.timeout_s);
  } else if (name == "state_dir") {
    fits = read_value(node, config.state_dir);
  } else {
    return base::fail(ErrorCode::config_unknown_key,
                      place_of(file, key.source()) + std::string(name));
  }
  if (fits) return {};
  return base::fail(ErrorCode::config_malformed, place_of(file, node.source()) + std::string(name) +
                                                     " has a value of another kind");
}

base::Result<Config> parse_config(std::string const& file, std::string_view text) {
  toml::parse_result const parsed = toml::parse(text, file);
  if (!parsed) {
    return base::fail(ErrorCode::config_malformed, place_of(file, parsed.error().source()) +
                                                       std::string(parsed.error().description()));
  }
  Config config;
  for (auto const& [key, node] : parsed.table()) {
    auto read = read_entry(file, key, node, config);
    if (!read) return tl::make_unexpected(read.error());
  }
  return config;
}

base::Result<Config> load_config(std::string const& named, std::string const& fallback) {
  constexpr std::size_t config_size_max = 64 * 1024;
  if (named.empty() && !store::exists(fallback)) return Config{};
  std::string const& file = named.empty() ? fallback : named;
  auto const text = store::read_file(file, config_size_max);
  if (!text) return tl::make_unexpected(text.error());
  return parse_config(file, base::text_of(*text));
}

}  // namespace

base::Result<void> complete_options(Options& options, store::Paths& paths) {
  auto config = load_config(options.config_file, paths.config_file);
  if (!config) return tl::make_unexpected(config.error());
  if (options.bootstrap.empty()) options.bootstrap = std::move(config->bootstrap);
  if (options.relays.empty()) options.relays = std::move(config->relays);
  options.no_dht = options.no_dht || !config->dht.value_or(true);
  options.allow_local_network =
      options.allow_local_network || config->allow_local_network.value_or(false);
  if (!options.timeout_s) options.timeout_s = config->timeout_s;
  if (options.state_dir.empty()) options.state_dir = config->state_dir.value_or("");
  if (!options.state_dir.empty()) paths.state_dir = options.state_dir;

  std::int64_t const timeout_s = options.timeout_s.value_or(Options::timeout_s_default);
  if (timeout_s < 1 || timeout_s > Options::timeout_s_max) {
    return base::fail(ErrorCode::number_out_of_range,
                      "timeout_s is from 1 to " + std::to_string(Options::timeout_s_max));
  }
  for (std::string const& node : options.bootstrap) {
    auto const parsed = loop::parse_host_port(node);
    if (!parsed) return tl::make_unexpected(parsed.error());
  }
  return {};
}

}  // namespace dotkey::host::cli
